import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { didYouMean } from '../../base/did-you-mean.ts'
import { exitCodes } from '../exit-codes.ts'
import { faults, googleCodes, type Fault } from '../faults.ts'
import { openOutput } from '../output.ts'

const known: Readonly<Record<string, Fault>> = { ...googleCodes, ...faults }

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('explain what the code of an error means, and what to do about it')
    .argument('[code]', 'the code as it is printed: PORT_TAKEN; without a code, every code is listed')
    .option('--json', 'print JSON')
    .action((code: string | undefined, options: { readonly json?: true }) => {
      const output = openOutput(options)
      if (code === undefined) return output.result(Object.keys(known).toSorted(), listText)
      const name = code.toUpperCase()
      const { means, todo, exit = 'application' } = find(name)
      output.result({ code: name, means, todo, exit: exitCodes[exit] }, () => `${name}\n${means}\n→ ${todo}`)
    })
}

function find(name: string): Fault {
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (found !== undefined) return found
  const meant = didYouMean(name, Object.keys(known))
  const next = meant === undefined ? 'devcloud explain' : `devcloud explain ${meant}`
  throw new CloudError('NOT_FOUND', `There is no code "${name}".`, next, { fault: 'USAGE' })
}

function listText(): string {
  const codes = Object.keys(known).toSorted()
  const width = Math.max(...codes.map(({ length }) => length))
  return codes.map((code) => `${code.padEnd(width)}  ${known[code]?.means ?? ''}`).join('\n')
}
