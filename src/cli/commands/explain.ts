import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { didYouMean } from '../../base/did-you-mean.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Fault } from '../../base/fault.ts'
import { allFaults } from '../all-faults.ts'
import { faults, googleCodes } from '../faults.ts'
import { openOutput } from '../output.ts'

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('explain what the code of an error means, and what to do about it')
    .argument('[code]', 'the code as it is printed: PORT_TAKEN; without a code, every code is listed')
    .option('--json', 'print JSON')
    .action(async (code: string | undefined, options: { readonly json?: true }) => {
      const output = openOutput(options)
      if (code === undefined) {
        const known = { ...googleCodes, ...(await allFaults()) }
        return output.result(Object.keys(known).toSorted(), () => listText(known))
      }
      const name = code.toUpperCase()
      const { means, todo, exit = 'application' } = await find(name)
      output.result({ code: name, means, todo, exit: exitCodes[exit] }, () => `${name}\n${means}\n→ ${todo}`)
    })
}

async function find(name: string): Promise<Fault> {
  const own = entryOf({ ...googleCodes, ...faults }, name)
  if (own !== undefined) return own
  const known = { ...googleCodes, ...(await allFaults()) }
  const found = entryOf(known, name)
  if (found !== undefined) return found
  const meant = didYouMean(name, Object.keys(known))
  const next = meant === undefined ? 'devcloud explain' : `devcloud explain ${meant}`
  throw new CloudError('NOT_FOUND', `There is no code "${name}".`, next, { fault: 'USAGE' })
}

function entryOf(known: Readonly<Record<string, Fault>>, name: string): Fault | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined
}

function listText(known: Readonly<Record<string, Fault>>): string {
  const codes = Object.keys(known).toSorted()
  const width = Math.max(...codes.map(({ length }) => length))
  return codes.map((code) => `${code.padEnd(width)}  ${known[code]?.means ?? ''}`).join('\n')
}
