import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startProgram } from './child.ts'
import { residentMb } from './memory.ts'
import { rounded } from './result.ts'
import { runWrk } from './wrk.ts'

const count = 9000
const goal = 20 // KB

/** What each of 9,000 connections costs that asked once and rests; the clients are a process of their own. Compilers and pools are warm before. */
export async function idleConnections(args: readonly string[], tell: (text: string) => void) {
  await using ours = await startProgram('./router-process.ts', args)
  await runWrk(ours.port, 'bench.localhost', 2)
  await sleep(3000)
  const before = residentMb(ours.pid)
  const script = fileURLToPath(new URL('./idle-clients-process.ts', import.meta.url))
  const clients = spawn(process.execPath, [script, String(ours.port), String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(clients.stdout, 'data')
  await sleep(5000)
  const after = residentMb(ours.pid)
  const load = await runWrk(ours.port, 'bench.localhost', 2)
  clients.kill()
  await once(clients, 'exit')
  const perConnectionKb = rounded(((after - before) * 1024) / count, 1)
  tell(
    `${count} connections at rest: from ${before.toFixed(1)} to ${after.toFixed(1)} MB, ${perConnectionKb} KB each; with them ${load.requestsPerSecond.toFixed(0)} requests/s, p99 ${load.p99Ms} ms`,
  )
  return { perConnectionKb, goal, count }
}
