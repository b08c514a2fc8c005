import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { initText } from '../../config/init-text.ts'
import { readProject } from '../../config/read-project.ts'
import { openOutput } from '../output.ts'

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write devcloud.yaml, with what the files of this folder say as comments')
    .argument('[directory]', 'the project', '.')
    .option('--json', 'print JSON')
    .action(async (directory: string, options: { readonly json?: true }) => {
      const folder = realpathSync(directory)
      const path = join(folder, 'devcloud.yaml')
      if (existsSync(path)) {
        throw new CloudError('ALREADY_EXISTS', `${path} exists.`, 'Edit it, or remove it first.', { fault: 'USAGE' })
      }
      const { sections } = await import('../../daemon/catalog.ts') // every product's: too much for the start of other commands
      writeFileSync(path, initText(await readProject(folder, sections), sections), { flag: 'wx' })
      openOutput(options).result({ path }, () => `Wrote ${path}`)
    })
}
