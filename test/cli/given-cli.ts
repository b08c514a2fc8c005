import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A user of their own: a state directory, and the command line on it. Disposed, nothing of theirs is left. */
export interface GivenCli extends AsyncDisposable {
  readonly stateDirectory: string
  /** Runs `devcloud ARGS` in `directory`. @param env more of it @param onSpawn told of the process */
  run(args: readonly string[], options?: { readonly directory?: string; readonly env?: NodeJS.ProcessEnv }): Promise<Ran>
  /** The process id of the daemon. */
  daemonPid(): Promise<number>
  /** The port of the router. */
  port(): Promise<number>
}

/**
 * @param options.stateDirectory one that need not be there yet, instead of a fresh one
 * @param options.program path of the command line's main file, instead of the sources'
 */
export function givenCli(options: { readonly stateDirectory?: string; readonly program?: string } = {}): GivenCli {
  const { stateDirectory = mkdtempSync(join(tmpdir(), 'dc-')), program = main } = options
  if (existsSync(stateDirectory)) chmodSync(stateDirectory, 0o700)
  const run: GivenCli['run'] = (args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: options.directory ?? tmpdir(),
        env: { ...process.env, DEVCLOUD_STATE_DIR: stateDirectory, DEVCLOUD_PORT: '0', NO_COLOR: '1', ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      child.once('error', reject)
      child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    })
  return {
    stateDirectory,
    run,
    async daemonPid() {
      const { stdout } = await run(['daemon', 'status', '--json'])
      return (JSON.parse(stdout) as { readonly pid: number }).pid
    },
    async port() {
      const { stdout } = await run(['ps', '--json'])
      const { services } = JSON.parse(stdout) as { readonly services: readonly { readonly url: string }[] }
      return Number(new URL(services[0]?.url ?? '').port || 80)
    },
    async [Symbol.asyncDispose]() {
      await run(['clean', '--all', '--yes'])
      await run(['daemon', 'stop'])
      rmSync(stateDirectory, { recursive: true, force: true })
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** Asks a service as a browser would that resolves `.localhost` by itself. */
export function ask(
  url: string,
  options: { readonly method?: string; readonly headers?: http.OutgoingHttpHeaders; readonly body?: Buffer | string } = {},
): Promise<Answer> {
  const { host, port, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: port || 80,
        path: pathname + search,
        method: options.method ?? 'GET',
        headers: { host, ...options.headers },
        agent: false,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        response.once('error', reject)
      },
    )
    request.once('error', reject)
    request.end(options.body)
  })
}
