import { startProgram, type Child } from './child.ts'
import { idleConnections } from './idle-connections.ts'
import { cpuSecondsOfAll } from './memory.ts'
import { startNginx } from './nginx.ts'
import { hasH2load, pacedP99 } from './paced.ts'
import { startQueueProxy } from './queue-proxy.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'
import { hasWrk, runWrk, type Load } from './wrk.ts'

const rounds = 5
const seconds = 4
const services = 1000
const host = 'bench.localhost'

interface Round extends Load {
  /** CPU time of the proxy for one request. */
  readonly cpuMicros: number
}

/** Requests a second through our router beside its peers, what a request adds at half load, and what connections that rest cost. */
export async function router(tell: (text: string) => void): Promise<BenchResult> {
  if (!hasWrk()) {
    tell('wrk is not to be had (apt-get install wrk): nothing is measured')
    return { ratios: {} }
  }
  await using opened = new AsyncDisposableStack()
  const backend = opened.use((await startNginx({ answer: 'hello\n' })) ?? (await startProgram('./backend-process.ts')))
  const args = [String(backend.port)]
  const ours = opened.use(await startProgram('./router-process.ts', args))
  const many = opened.use(await startProgram('./router-process.ts', [...args, String(services)]))
  const proxies = new Map<string, Child>([
    ['ours', ours],
    [`ours, ${services} services`, many],
    ['node:http', opened.use(await startProgram('./node-proxy-process.ts', args))],
  ])
  const nginx = await startNginx({ upstreamPort: backend.port })
  if (nginx === undefined) tell('nginx is not to be had (apt-get install nginx-light): measured without it')
  else proxies.set('nginx', opened.use(nginx))
  const queueProxy = await startQueueProxy(backend.port, tell)
  if (queueProxy === undefined) tell("Knative's queue-proxy is not to be had (it needs Go and its module proxy): measured without it")
  else proxies.set('queue-proxy', opened.use(queueProxy))

  const all = await fullLoad(proxies, backend.port, tell)
  const rate = (name: string) => median((all.get(name) ?? []).map((round) => round.requestsPerSecond))
  const cpu = (name: string) => median((all.get(name) ?? []).map((round) => round.cpuMicros))
  const ratios: Record<string, number> = {}
  for (const name of proxies.keys()) {
    if (name === 'ours') continue
    const own = proxies.get(name) === many // of ourselves with few services, the other way round
    ratios[own ? `${services} services beside 1` : name] = own ? rounded(rate(name) / rate('ours')) : rounded(rate('ours') / rate(name))
  }
  ratios[`${services} services beside 1, CPU a request`] = rounded(cpu('ours') / cpu(`ours, ${services} services`))
  if (nginx !== undefined) ratios['nginx, CPU a request'] = rounded(cpu('nginx') / cpu('ours'))
  if (nginx !== undefined && hasH2load()) {
    const half = Math.floor(Math.min(rate('ours'), rate('nginx')) / 2)
    ratios['nginx, p99 added at half load'] = await addedAtHalfLoad(half, backend.port, ours.port, nginx.port, tell)
  } else tell('nginx and h2load are both needed for the latency at half load (apt-get install nghttp2-client): not measured')
  const { perConnectionKb, goal, count } = await idleConnections(args, tell)
  ratios['goal of idle connections'] = rounded(goal / perConnectionKb)
  const figures = {
    oursRequestsPerSecond: Math.round(rate('ours')),
    oursCpuMicros: rounded(cpu('ours'), 1),
    idleConnections: count,
    perConnectionKb,
  }
  return { ratios, figures }
}

/** Rounds of all in turn, the order turning each time. */
async function fullLoad(
  proxies: ReadonlyMap<string, Child>,
  backendPort: number,
  tell: (text: string) => void,
): Promise<Map<string, Round[]>> {
  tell(`the backend alone: ${(await runWrk(backendPort, host, 2)).requestsPerSecond.toFixed(0)} requests/s`)
  for (const { port } of proxies.values()) await runWrk(port, host, 2) // until compilers and pools are warm
  const all = new Map<string, Round[]>([...proxies.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const order = [...proxies]
    if (round % 2 === 1) order.reverse()
    for (const [name, { port, pid }] of order) {
      const before = cpuSecondsOfAll(pid)
      const load = await runWrk(port, host, seconds)
      all.get(name)?.push({ ...load, cpuMicros: ((cpuSecondsOfAll(pid) - before) / load.requests) * 1e6 })
    }
  }
  for (const [name, loads] of all) {
    const rates = spread(loads.map((load) => load.requestsPerSecond), 0) // prettier-ignore
    const latency = `p50 ${median(loads.map((load) => load.p50Ms)).toFixed(2)} ms, p99 ${median(loads.map((load) => load.p99Ms)).toFixed(2)} ms`
    tell(`${name}: ${rates} requests/s, ${latency}, CPU of the proxy ${spread(loads.map((load) => load.cpuMicros), 1)} us a request`) // prettier-ignore
  }
  return all
}

/** What nginx adds to the 99th percentile of the backend alone, to what we add. At the same rate for all: half of what the slower of both can do. */
async function addedAtHalfLoad(
  requestsPerSecond: number,
  direct: number,
  ours: number,
  nginx: number,
  tell: (text: string) => void,
): Promise<number> {
  const times = new Map<string, number[]>()
  for (let round = 0; round < 3; round += 1) {
    for (const [name, port] of [
      ['direct', direct],
      ['ours', ours],
      ['nginx', nginx],
    ] as const)
      // prettier-ignore
      times.set(name, [...(times.get(name) ?? []), await pacedP99(port, host, requestsPerSecond, seconds)])
  }
  const p99 = (name: string) => median(times.get(name) ?? [])
  for (const [name, values] of times) tell(`${name}, p99 at ${requestsPerSecond} requests/s: ${spread(values)} ms`)
  return rounded(Math.max(p99('nginx') - p99('direct'), 0.01) / Math.max(p99('ours') - p99('direct'), 0.01))
}
