import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startProgram } from './child.ts'
import { cpuSeconds } from './memory.ts'
import { startNginx } from './nginx.ts'
import { hasH2load, pacedP99 } from './paced.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const host = 'bench.localhost'
const objects = 100_000
const rate = 960
const seconds = 6
const rounds = 3

interface Disturbance {
  /** Calls Storage again and again, until `signal` ends. */
  readonly run: (api: number, signal: AbortSignal) => Promise<unknown>
}

const disturbances: Readonly<Record<string, Disturbance>> = {
  '4 clients that list 100,000 objects by a pattern': {
    run: (api, signal) => many(4, signal, () => call(api, 'GET', '/storage/v1/b/bench-b/o?matchGlob=d*/o*99999&fields=items(name)')),
  },
  '16 clients that PUT': {
    run: (api, signal) => many(16, signal, (n, m) => call(api, 'POST', `/upload/storage/v1/b/bench-b/o?uploadType=media&name=put-${n}-${m % 50}`, 'x'.repeat(10_000))), // prettier-ignore
  },
  'an upload of 1 GiB': {
    run: (api, signal) => many(1, signal, () => call(api, 'POST', '/upload/storage/v1/b/bench-b/o?uploadType=media&name=large', 2 ** 30)),
  },
}

/**
 * The 99th percentile of an application while Storage works in the same daemon, beside the same application's while programs outside of devcloud
 * take as much CPU time as the daemon took for that work.
 */
export async function disturbed(tell: (text: string) => void): Promise<BenchResult> {
  await using opened = new AsyncDisposableStack()
  const backend = await startNginx({ answer: 'hello\n' })
  if (backend === undefined || !hasH2load()) {
    tell('nginx and h2load are needed (apt-get install nginx-light nghttp2-client): nothing is measured')
    return { ratios: {} }
  }
  opened.use(backend)
  const daemon = opened.use(await startProgram('./disturbed-process.ts', [String(backend.port), String(objects)]))
  const [router, api] = [daemon.port, daemon.morePorts[0] ?? 0]
  await pacedP99(router, host, rate, 2)
  const ratios: Record<string, number> = {}
  const figures: Record<string, number> = { alone: rounded(await pacedP99(router, host, rate, seconds)) }
  for (const [name, { run }] of Object.entries(disturbances)) {
    const inside: number[] = []
    const outside: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const stop = new AbortController()
      const began = cpuSeconds(daemon.pid)
      const running = run(api, stop.signal)
      inside.push(await pacedP99(router, host, rate, seconds))
      const share = (cpuSeconds(daemon.pid) - began) / seconds
      stop.abort()
      await running
      outside.push(await besideLoad(Math.min(1, share), () => pacedP99(router, host, rate, seconds)))
    }
    tell(`${name}: p99 ${spread(inside)} ms, with the same CPU load outside ${spread(outside)} ms`)
    ratios[name] = rounded(median(outside) / median(inside))
    figures[`${name}, ms`] = rounded(median(inside))
  }
  return { ratios, figures }
}

/** Runs `work` while another process takes a share of one core. */
async function besideLoad<T>(share: number, work: () => Promise<T>): Promise<T> {
  const file = fileURLToPath(new URL('./busy-process.ts', import.meta.url))
  const child = spawn(process.execPath, [file, String(share)], { stdio: 'ignore' })
  try {
    await sleep(500)
    return await work()
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

function many(count: number, signal: AbortSignal, work: (client: number, time: number) => Promise<unknown>): Promise<unknown> {
  const client = async (n: number) => {
    for (let time = 0; !signal.aborted; time += 1) await work(n, time)
  }
  return Promise.all(Array.from({ length: count }, (_, n) => client(n)))
}

/** @param body text, or so many bytes @throws Error for an answer that is no 200 */
async function call(port: number, method: string, path: string, body: string | number = ''): Promise<void> {
  const length = typeof body === 'number' ? body : Buffer.byteLength(body)
  const sent = request({ host: '127.0.0.1', port, method, path, headers: { 'content-length': length } })
  const answered = once(sent, 'response')
  if (typeof body === 'string') sent.end(body)
  else {
    const piece = Buffer.alloc(1 << 20)
    for (let left = body; left > 0; left -= piece.length) if (!sent.write(piece)) await once(sent, 'drain')
    sent.end()
  }
  const [response] = (await answered) as [import('node:http').IncomingMessage]
  await once(response.resume(), 'end')
  if (response.statusCode !== 200) throw new Error(`${method} ${path} was answered by ${response.statusCode}`)
}
