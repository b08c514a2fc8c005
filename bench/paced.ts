import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function hasH2load(): boolean {
  return spawnSync('h2load', ['--version']).error === undefined
}

const connections = 32

/**
 * The 99th percentile of the time of a request, in ms, while `requestsPerSecond` are begun at even distances over 32 kept connections, whether or
 * not the last ones are answered. A connection whose request is late begins its next one at once.
 */
export async function pacedP99(port: number, host: string, requestsPerSecond: number, seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-paced-'))
  const file = join(folder, 'log')
  const each = Math.max(1, Math.floor(requestsPerSecond / connections))
  const count = each * connections * seconds
  const pace = ['--h1', '-t1', `-c${connections}`, `--rps=${each}`, `-n${count}`, `--log-file=${file}`] // -D with --rps never ends in 1.52
  const child = spawn('h2load', [...pace, `--connect-to=127.0.0.1:${port}`, `http://${host}:${port}/hello?a=1`], { stdio: 'ignore' })
  const tooLong = setTimeout(() => child.kill('SIGKILL'), seconds * 10_000)
  await once(child, 'exit')
  clearTimeout(tooLong)
  const text = readFileSync(file, 'utf8')
  rmSync(folder, { recursive: true, force: true })
  const times = text
    .split('\n')
    .map((line) => line.split('\t')) // start, status, microseconds
    .filter(([, status]) => status === '200')
    .map(([, , time]) => Number(time))
    .sort((a, b) => a - b)
  if (times.length === 0) throw new Error(`h2load, asking port ${port}: no answer was 200`)
  return (times[Math.floor(times.length * 0.99)] ?? Number.NaN) / 1000
}
