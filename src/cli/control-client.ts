import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CloudError, codes, messageOf, type Code } from '../base/cloud-error.ts'
import { diskFault, whyUnwritable } from '../base/disk-fault.ts'
import { controlSocketPath, daemonOutputPath, stateDirectory } from '../base/paths.ts'
import type { LastEvent, WireError } from '../daemon/control-protocol.ts'
import { supervised } from './supervisor.ts'

/** Calls the daemon over its control socket. Throws the CloudError that the daemon threw. */
export interface ControlClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: object): Promise<T>
  /** Resolves after the last event. @throws CloudError when the last event is an error, or when the stream broke off */
  stream<E extends object>(path: string, body: object | undefined, onEvent: (event: E) => void, signal?: AbortSignal): Promise<void>
}

/** How long a daemon may take until it answers, in ms: its databases may need recovery. */
const startMs = 30_000

/** Flags of the daemon's Node. The daemon collects garbage when it idles (daemon/trim-memory.ts): flags that keep the heap small would cost the router up to a third of its speed. */
const daemonFlags = ['--disable-warning=ExperimentalWarning', '--expose-gc']
/** Variables of glibc. Its default keeps up to 8 arenas for each core and gives no memory back: man mallopt. */
const smallHeap = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' }

/** Connects to the daemon of this user, and starts the daemon if none runs. @throws CloudError with the daemon's reason when it does not start */
export async function connectDaemon(): Promise<ControlClient> {
  const state = stateDirectory()
  const client = createClient(controlSocketPath(state))
  if (await answers(client)) return client
  await startDaemon(state, client)
  return client
}

/** Connects to the daemon. Undefined when none runs. */
export async function findDaemon(): Promise<ControlClient | undefined> {
  const client = createClient(controlSocketPath(stateDirectory()))
  return (await answers(client)) ? client : undefined
}

async function startDaemon(state: string, client: ControlClient): Promise<void> {
  const output = openOutputFile(state)
  const main = fileURLToPath(import.meta.resolve(import.meta.url.endsWith('.ts') ? '../daemon/main.ts' : '../daemon/main.js'))
  const { file, args } = supervised([process.execPath, ...daemonFlags, main])
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: state,
    env: { ...smallHeap, ...process.env },
  })
  closeSync(output)
  child.unref()
  let exitCode: number | null | undefined
  child.once('exit', (code) => (exitCode = code))
  const deadline = performance.now() + startMs
  while (performance.now() < deadline) {
    if (await answers(client)) return
    // another daemon that was started at the same moment may hold the state, and will answer
    if (exitCode !== undefined && exitCode !== 75) throw readFailure(state)
    await sleep(20)
  }
  throw readFailure(state)
}

function openOutputFile(state: string): number {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 })
    return openSync(daemonOutputPath(state), 'w', 0o600)
  } catch (error) {
    const disk = diskFault(error, state) ?? whyUnwritable(state)
    if (disk !== undefined) throw disk
    throw new CloudError(
      'FAILED_PRECONDITION',
      `The state directory ${state} cannot be used: ${messageOf(error)}.`,
      'Make it writable for you, or set DEVCLOUD_STATE_DIR to a folder that is.',
      { cause: error, fault: 'STATE_UNUSABLE' },
    )
  }
}

/** Reads why a daemon did not start: its last line of output is the error as JSON. */
function readFailure(state: string): CloudError {
  const lines = readFileSync(daemonOutputPath(state), 'utf8').trim().split('\n')
  try {
    return toCloudError(JSON.parse(lines.at(-1) ?? '') as WireError)
  } catch {
    const disk = whyUnwritable(state) // a daemon that cannot write the state cannot write its reason either
    if (disk !== undefined) return disk
    return new CloudError('UNAVAILABLE', 'The daemon did not start.', 'devcloud daemon start', {
      fault: 'DAEMON_FAILED',
      evidence: lines.slice(-10),
    })
  }
}

function createClient(socketPath: string): ControlClient {
  const ask = async <T>(method: string, path: string, body: object | undefined) => {
    const response = await request(socketPath, method, path, body)
    const text = await readText(response)
    if ((response.statusCode ?? 500) >= 400) throw readError(text)
    return JSON.parse(text) as T
  }
  return {
    get: <T>(path: string) => ask<T>('GET', path, undefined),
    post: <T>(path: string, body: object) => ask<T>('POST', path, body),
    async stream<E extends object>(path: string, body: object | undefined, onEvent: (event: E) => void, signal?: AbortSignal) {
      const response = await request(socketPath, body === undefined ? 'GET' : 'POST', path, body, signal)
      if ((response.statusCode ?? 500) >= 400) throw readError(await readText(response))
      for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
        const event = JSON.parse(line) as E | LastEvent
        if ('kind' in event && event.kind === 'done') return
        if ('kind' in event && event.kind === 'error') throw toCloudError((event as Extract<LastEvent, { kind: 'error' }>).error)
        onEvent(event as E)
      }
      signal?.throwIfAborted()
      throw wentAway()
    },
  }
}

function request(
  socketPath: string,
  method: string,
  path: string,
  body: object | undefined,
  signal?: AbortSignal,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = http.request({ socketPath, method, path, headers: { host: 'devcloud', ...headers }, ...(signal && { signal }) }, resolve)
    sent.once('error', (error) => reject(signal?.aborted === true ? error : wentAway(error)))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The error for a daemon that ended during a command. The next command starts another daemon, which goes on with the work. */
function wentAway(cause?: unknown): CloudError {
  const next = 'devcloud status starts it again, and shows what has become of it'
  return new CloudError('UNAVAILABLE', 'The daemon went away before it had answered.', next, { cause, fault: 'DAEMON_FAILED' })
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return text
}

function readError(text: string): CloudError {
  return toCloudError((JSON.parse(text) as { readonly error: WireError }).error)
}

function toCloudError({ code, fault, message, evidence, next }: WireError): CloudError {
  return new CloudError(code in codes ? (code as Code) : 'UNKNOWN', message, next, { fault, evidence })
}

async function answers(client: ControlClient): Promise<boolean> {
  try {
    await client.get('/version')
    return true
  } catch {
    return false
  }
}
