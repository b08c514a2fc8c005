import { realpathSync } from 'node:fs'
import http from 'node:http'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { CloudError } from '../../base/cloud-error.ts'
import { version } from '../../base/version.ts'
import type { LogEvent, UpEvent, UpRequest } from '../../daemon/control-protocol.ts'
import { connectDaemon, type ControlClient } from '../control-client.ts'
import { findProject } from '../find-project.ts'
import { openOutput, type Output } from '../output.ts'

type Ready = Extract<UpEvent, { kind: 'ready' }>

interface UpOptions {
  readonly engine: UpRequest['engine']
  readonly plan?: true
  readonly detach?: true
  readonly json?: true
  readonly verbose?: true
}

export function addUp(program: Command): void {
  program
    .command('up')
    .description('make what the files of the project ask for, and run the project')
    .argument('[directory]', 'the folder of the project', '.')
    .addOption(new Option('--engine <kind>', 'what runs the application').choices(['auto', 'docker', 'process']).default('auto'))
    .option('--plan', 'only print what would be made, each line with the file and line that asks for it')
    .option('-d, --detach', 'return to the shell when the services are ready')
    .option('--json', 'print events as JSON, one per line')
    .option('--verbose', 'show the output of builds and commands')
    .action(async (directory: string, options: UpOptions) => up(directory, options))
}

async function up(directory: string, options: UpOptions): Promise<void> {
  const output = openOutput(options)
  const folder = readFolder(directory)
  const interrupted = new AbortController()
  const onInterrupt = () =>
    interrupted.abort(new CloudError('CANCELLED', 'Interrupted before it was ready.', 'devcloud up', { fault: 'INTERRUPTED' }))
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
  const client = await connectDaemon()
  if (options.plan !== true) output.note(`devcloud ${version()}`)
  let ready: Ready | undefined
  const request: UpRequest = { directory: folder, engine: options.engine, plan: options.plan === true }
  await client
    .stream<UpEvent>(
      '/up',
      request,
      (event) => {
        if (event.kind === 'ready') ready = event
        output.step(event)
      },
      interrupted.signal,
    )
    .catch((error: unknown) => {
      throw interrupted.signal.aborted ? interrupted.signal.reason : error
    })
  process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
  if (ready === undefined || options.json === true) return
  await tellReady(ready, output)
  if (options.detach === true || process.stdout.isTTY !== true) return
  await attach(client, ready, output)
}

/** Sends a request to each service, as a browser of this machine would, and prints the answer. */
async function tellReady({ ms, urls, reused }: Ready, output: Output): Promise<void> {
  const words = `Ready in ${(ms / 1000).toFixed(1)}s${reused ? ' (everything was still running)' : ''}`
  output.result(urls, () => [words, ...urls.map(({ service, url }) => `  ${service.padEnd(20)} ${url}`)].join('\n'))
  for (const { url } of urls) {
    const { status, latencyMs } = await fetchOnce(url)
    output.result(status, () => `  GET ${url}/ ${status} in ${Math.round(latencyMs)} ms`)
  }
}

/** Requests a URL at 127.0.0.1, with the URL's own Host: browsers resolve `.localhost` themselves, resolvers often do not. */
function fetchOnce(url: string): Promise<{ readonly status: number; readonly latencyMs: number }> {
  const { host, port } = new URL(url)
  const began = performance.now()
  return new Promise((resolved, reject) => {
    const sent = http.get(
      { host: '127.0.0.1', port: port || 80, path: '/', headers: { host, 'user-agent': 'devcloud' }, agent: false },
      (response) => {
        response.resume()
        resolved({ status: response.statusCode ?? 0, latencyMs: performance.now() - began })
      },
    )
    sent.once('error', reject)
  })
}

/** Follows the logs until Ctrl-C. Everything goes on running. */
async function attach(client: ControlClient, { project }: Ready, output: Output): Promise<void> {
  const isHere = await findProject(client, undefined).then(
    ({ id }) => id === project,
    () => false,
  )
  const about = isHere ? '' : ` --project ${project}` // the folder that was named is not the one where this is typed
  output.note(`Ctrl-C leaves it running; devcloud down${about} stops it.`)
  const over = new AbortController()
  process.once('SIGINT', () => over.abort())
  await client
    .stream<LogEvent>(`/logs?project=${project}&follow=true&tail=0`, undefined, (event) => output.log(event), over.signal)
    .catch((error: unknown) => {
      if (!over.signal.aborted) throw error
    })
  output.note(`\nStill running: devcloud logs -f${about}, devcloud down${about}`)
}

function readFolder(directory: string): string {
  try {
    return realpathSync(resolve(directory))
  } catch (error) {
    throw new CloudError('NOT_FOUND', `There is no folder ${resolve(directory)}.`, 'devcloud up FOLDER', { fault: 'USAGE', cause: error })
  }
}
