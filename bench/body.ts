import { startProgram, type Child } from './child.ts'
import { cpuSecondsOfAll, forgetPeak, peakMb, residentMb } from './memory.ts'
import { startNginx } from './nginx.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'
import { receiveBody, sendBody } from './transfer.ts'

const rounds = 3
const size = 2 * 2 ** 30

/** A body of 2 GiB each way, first with the slow side holding everybody up, then for speed, beside nginx without buffering and node:http. */
export async function body(tell: (text: string) => void): Promise<BenchResult> {
  await using opened = new AsyncDisposableStack()
  const backend = opened.use(await startProgram('./backend-process.ts'))
  const args = [String(backend.port)]
  const ours = opened.use(await startProgram('./router-process.ts', args))
  const proxies = new Map<string, Child>([
    ['ours', ours],
    ['node:http', opened.use(await startProgram('./node-proxy-process.ts', args))],
  ])
  const nginx = await startNginx({ upstreamPort: backend.port })
  if (nginx === undefined) tell('nginx is not to be had (apt-get install nginx-light): measured without it')
  else proxies.set('nginx', opened.use(nginx))

  const figures = await growth(ours.pid, ours.port, tell)
  const times = { request: new Map<string, number[]>(), response: new Map<string, number[]>() }
  const cpu = { request: new Map<string, number[]>(), response: new Map<string, number[]>() }
  for (let round = 0; round < rounds; round += 1) {
    const order = [...proxies]
    if (round % 2 === 1) order.reverse()
    for (const [name, { port, pid }] of order) {
      const before = cpuSecondsOfAll(pid)
      push(times.request, name, await sendBody(port, size))
      const between = cpuSecondsOfAll(pid)
      push(times.response, name, await receiveBody(port, size))
      push(cpu.request, name, between - before)
      push(cpu.response, name, cpuSecondsOfAll(pid) - between)
    }
  }
  const ratios: Record<string, number> = {}
  for (const way of ['request', 'response'] as const) {
    for (const [name, seconds] of times[way]) {
      const used = cpu[way].get(name) ?? []
      tell(`${name}, ${way}: ${spread(seconds)} s, CPU of the proxy ${spread(used)} s`)
      if (name === 'ours') continue
      ratios[`${name} ${way}`] = rounded(median(seconds) / median(times[way].get('ours') ?? []))
      ratios[`${name} ${way}, CPU`] = rounded(median(used) / median(cpu[way].get('ours') ?? []))
    }
  }
  return { ratios, figures }
}

/** By how much the router's peak stands above what it has after small requests: of bodies of 200 MiB, then of ten times as much. */
async function growth(pid: number, port: number, tell: (text: string) => void): Promise<Record<string, number>> {
  for (let n = 0; n < 500; n += 1) await receiveBody(port, 100)
  const before = residentMb(pid)
  const measure = async (bytes: number) => {
    forgetPeak(pid)
    await sendBody(port, bytes, true)
    await receiveBody(port, bytes, true)
    return rounded(peakMb(pid) - before, 1)
  }
  const rssGrowthMbOf200Mb = await measure(200 * 2 ** 20)
  const rssGrowthMb = await measure(size)
  tell(`the router has ${before.toFixed(1)} MB; bodies of 200 MB add ${rssGrowthMbOf200Mb}, of 2 GB ${rssGrowthMb}`)
  return { rssGrowthMb, rssGrowthMbOf200Mb }
}

function push(map: Map<string, number[]>, name: string, value: number): void {
  map.set(name, [...(map.get(name) ?? []), value])
}
