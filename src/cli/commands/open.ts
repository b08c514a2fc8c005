import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { connectDaemon } from '../control-client.ts'
import { findProject, findService } from '../find-project.ts'
import { openOutput } from '../output.ts'

export function addOpen(program: Command): void {
  program
    .command('open')
    .description("print a service's URL, and open it in the browser")
    .argument('[service]', 'the service; optional when the project has one')
    .option('-p, --project <id>', 'the project; default: the project of this folder')
    .option('--json', 'print JSON, and open nothing')
    .action(async (service: string | undefined, options: { readonly project?: string; readonly json?: true }) => {
      const { id, url = '' } = findService(await findProject(await connectDaemon(), options.project), service)
      openOutput(options).result({ service: id, url }, () => url)
      if (options.json === true || process.stdout.isTTY !== true) return
      const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
      spawn(opener, [url], { detached: true, stdio: 'ignore' })
        .once('error', () => {})
        .unref() // where no browser is, the URL is enough
    })
}
