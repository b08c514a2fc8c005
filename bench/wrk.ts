import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

export interface Load {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export function hasWrk(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}

/** Asks `port` on 32 kept connections for `seconds`. @throws Error when an answer was no 200, or a connection broke */
export async function runWrk(port: number, host: string, seconds: number): Promise<Load> {
  const child = spawn('wrk', ['-t1', '-c32', `-d${seconds}s`, '--latency', '-H', `Host: ${host}`, `http://127.0.0.1:${port}/hello?a=1`])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await once(child, 'close')
  const bad = /Socket errors:.*|Non-2xx.*/.exec(text)?.[0]
  if (bad !== undefined) throw new Error(`wrk, asking ${host} on port ${port}: ${bad}`)
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1]),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50Ms: latency(text, 50),
    p99Ms: latency(text, 99),
  }
}

/** `     50%    1.23ms` */
function latency(text: string, percent: number): number {
  const [, value, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
  return Number(value) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1)
}
