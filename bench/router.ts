import { startProgram } from './child.ts'
import { startNginx } from './nginx.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'
import { hasWrk, runWrk, type Load } from './wrk.ts'

const rounds = 5
const seconds = 4
const host = 'bench.localhost'

/** Requests a second through our router, beside nginx with one worker and a proxy of node:http: 32 connections that are kept, small answers. */
export async function router(tell: (text: string) => void): Promise<BenchResult> {
  if (!hasWrk()) {
    tell('wrk is not to be had (apt-get install wrk): nothing is measured')
    return { ratios: {} }
  }
  await using opened = new AsyncDisposableStack()
  const backend = opened.use((await startNginx({ answer: 'hello\n' })) ?? (await startProgram('./backend-process.ts')))
  const args = [String(backend.port)]
  const ports = new Map([
    ['ours', opened.use(await startProgram('./router-process.ts', args)).port],
    ['node:http', opened.use(await startProgram('./node-proxy-process.ts', args)).port],
  ])
  const nginx = await startNginx({ upstreamPort: backend.port })
  if (nginx === undefined) tell('nginx is not to be had (apt-get install nginx-light): measured without it')
  else ports.set('nginx', opened.use(nginx).port)

  tell(`the backend alone: ${(await runWrk(backend.port, host, 2)).requestsPerSecond.toFixed(0)} requests/s`)
  for (const port of ports.values()) await runWrk(port, host, 2) // until compilers and pools are warm
  const loads = new Map<string, Load[]>([...ports.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const order = [...ports]
    if (round % 2 === 1) order.reverse()
    for (const [name, port] of order) loads.get(name)?.push(await runWrk(port, host, seconds))
  }
  for (const [name, all] of loads) {
    const latency = `p50 ${median(all.map((load) => load.p50Ms)).toFixed(2)} ms, p99 ${median(all.map((load) => load.p99Ms)).toFixed(2)} ms`
    tell(
      `${name}: ${spread(
        all.map((load) => load.requestsPerSecond),
        0,
      )} requests/s, ${latency}`,
    )
  }
  const rate = (name: string) => median((loads.get(name) ?? []).map((load) => load.requestsPerSecond))
  const peers = [...ports.keys()].filter((name) => name !== 'ours')
  return { ratios: Object.fromEntries(peers.map((peer) => [peer, rounded(rate('ours') / rate(peer))])) }
}
