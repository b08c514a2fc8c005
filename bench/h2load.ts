import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grpcMessage } from './nginx.ts'

export function hasH2load(): boolean {
  return spawnSync('h2load', ['--version']).error === undefined
}

export interface CallRate {
  readonly perSecond: number
  /** Calls that got no 200. */
  readonly failed: number
}

/** Calls `path` on 8 connections, 10 at a time each, for `seconds`. @throws Error when one in 100 fails */
export async function runH2load(
  port: number,
  options: { readonly host: string; readonly path: string; readonly seconds: number },
): Promise<CallRate> {
  const { host, path, seconds } = options
  const folder = mkdtempSync(join(tmpdir(), 'bench-h2load-'))
  const message = join(folder, 'message')
  writeFileSync(message, grpcMessage('hello'))
  const headers = [`:authority: ${host}`, 'content-type: application/grpc', 'te: trailers'].flatMap((header) => ['-H', header])
  const load = ['-t1', '-c8', '-m10', `-D${seconds}`, '--warm-up-time=1', '-d', message]
  const child = spawn('h2load', [...load, ...headers, `http://127.0.0.1:${port}${path}`])
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await once(child, 'close')
  rmSync(folder, { recursive: true, force: true })
  const perSecond = Number(/finished in [\d.]+m?s, ([\d.]+) req\/s/.exec(text)?.[1])
  const [, good, failed] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? []
  if (!(perSecond > 0) || Number(failed) * 100 > Number(good)) throw new Error(`h2load on port ${port}: ${text}`)
  return { perSecond, failed: Number(failed) }
}
