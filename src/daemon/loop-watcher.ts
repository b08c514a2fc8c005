import { appendFileSync, chmodSync, rmSync } from 'node:fs'
import { Session, type Debugger } from 'node:inspector'
import net from 'node:net'
import { workerData } from 'node:worker_threads'

// The thread that watches the main one: src/daemon/loop-watch.ts starts it. It imports nothing of the house: it goes on while that stands still.

/** What the main thread hands over. */
export interface WatcherData {
  /** One place: when the main thread was last alive, as `process.hrtime.bigint()`. */
  readonly beat: BigInt64Array<SharedArrayBuffer>
  readonly beatMs: number
  /** daemon.log: lines are appended. */
  readonly logPath: string
  /** A Unix socket that tells how the main thread is. */
  readonly healthPath: string
}

/** What is told at `healthPath`, as one line of JSON. */
export interface Health {
  readonly pid: number
  /** How long the event loop has stood still; 0 while it goes on. */
  readonly blockedMs: number
  /** What it does, innermost first; empty while it goes on. */
  readonly stack: readonly string[]
}

/** Source: F18 of docs/reliability.md. */
const patienceMs = 200
const lookMs = 50
const framesTold = 20

const { beat, beatMs, logPath, healthPath } = workerData as WatcherData
let stack: readonly string[] = []
/** The beat that the block of now began with, once its stack was asked for. */
let asked: bigint | undefined
/** A beat that this thread too stood still after: how long it is ago says nothing. */
let passedOver: bigint | undefined
let lastLook = process.hrtime.bigint()

setInterval(() => {
  const now = process.hrtime.bigint()
  const wasStopped = toMs(now - lastLook) > 3 * lookMs // this thread stood still too: a SIGSTOP, a laptop that slept, a busy machine
  lastLook = now
  const alive = Atomics.load(beat, 0)
  if (asked !== undefined && alive !== asked) {
    tell('the event loop goes on', { blockedMs: toMs(alive - asked) })
    asked = undefined
    stack = []
  }
  if (wasStopped) passedOver = alive
  if (alive === passedOver || asked !== undefined || toMs(now - alive) < patienceMs + beatMs) return
  asked = alive
  sampleStack((frames) => {
    if (Atomics.load(beat, 0) !== alive) return
    stack = frames
    tell('the event loop is blocked', { blockedMs: toMs(process.hrtime.bigint() - alive), stack: frames })
  })
}, lookMs)

rmSync(healthPath, { force: true })
net
  .createServer((socket) => {
    socket.on('error', () => socket.destroy())
    const silentMs = toMs(process.hrtime.bigint() - Atomics.load(beat, 0))
    const health: Health = { pid: process.pid, blockedMs: silentMs < patienceMs + beatMs ? 0 : silentMs, stack }
    socket.end(`${JSON.stringify(health)}\n`)
  })
  .listen(healthPath, () => chmodSync(healthPath, 0o600))

/** Stops the main thread for a moment, wherever it is in its JavaScript, and answers where that was. */
function sampleStack(onFrames: (frames: readonly string[]) => void): void {
  const session = new Session()
  session.connectToMainThread()
  const urls = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
  session.once('Debugger.paused', ({ params }) => {
    session.post('Debugger.resume')
    session.post('Debugger.disable', () => session.disconnect())
    onFrames(params.callFrames.slice(0, framesTold).map((frame) => toLine(frame, urls.get(frame.location.scriptId) ?? '')))
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}

function toLine({ functionName, location }: Debugger.CallFrame, url: string): string {
  return `${functionName || '(anonymous)'} ${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
}

function tell(msg: string, about: object): void {
  try {
    appendFileSync(logPath, `${JSON.stringify({ level: 40, time: Date.now(), ...about, msg })}\n`, { mode: 0o600 })
  } catch {} // a full disk
}

function toMs(nanoseconds: bigint): number {
  return Math.round(Number(nanoseconds) / 1e6)
}
