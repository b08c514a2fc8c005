import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { startProgram } from './child.ts'
import { hasH2load, runH2load, type CallRate } from './h2load.ts'
import { startNginx } from './nginx.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const rounds = 5
const seconds = 4
const host = 'bench.localhost'
const path = '/bench.Echo/Unary'

/** Unary gRPC calls a second through our router, beside nginx with one worker and `grpc_pass`: 8 connections with 10 calls each at a time, small messages. */
export async function grpc(tell: (text: string) => void): Promise<BenchResult> {
  if (!hasH2load()) {
    tell('h2load is not to be had (apt-get install nghttp2-client): nothing is measured')
    return { ratios: {} }
  }
  await using opened = new AsyncDisposableStack()
  const backend = opened.use((await startNginx({ grpcAnswer: 'hello' })) ?? (await startProgram('./grpc-backend-process.ts')))
  const ports = new Map([['ours', opened.use(await startProgram('./router-process.ts', [String(backend.port), 'h2c'])).port]])
  const nginx = await startNginx({ grpcUpstreamPort: backend.port })
  if (nginx === undefined) tell('nginx is not to be had (apt-get install nginx-light): measured without it')
  else ports.set('nginx grpc_pass', opened.use(nginx).port)

  for (const [name, port] of ports) tell(`${name} answers "${await call(port)}" with a status of OK`)
  tell(`the backend alone: ${(await runH2load(backend.port, { host, path, seconds: 2 })).perSecond.toFixed(0)} calls/s`)
  for (const port of ports.values()) await runH2load(port, { host, path, seconds: 2 }) // until compilers and pools are warm
  const rates = new Map<string, CallRate[]>([...ports.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const order = [...ports]
    if (round % 2 === 1) order.reverse()
    for (const [name, port] of order) rates.get(name)?.push(await runH2load(port, { host, path, seconds }))
  }
  const perSecond = (name: string) => (rates.get(name) ?? []).map((rate) => rate.perSecond)
  for (const [name, all] of rates) {
    const failed = all.reduce((sum, rate) => sum + rate.failed, 0)
    tell(`${name}: ${spread(perSecond(name), 0)} calls/s${failed === 0 ? '' : `, ${failed} calls failed`}`)
  }
  const ours = median(perSecond('ours'))
  const peers = [...ports.keys()].filter((name) => name !== 'ours')
  return { ratios: Object.fromEntries(peers.map((peer) => [peer, rounded(ours / median(perSecond(peer)))])) }
}

/** One call by a real client, whose status comes in trailers. @throws ServiceError when it is not OK */
function call(port: number): Promise<string> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.default_authority': host })
  const asIs = (bytes: Buffer) => bytes
  return new Promise<string>((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from('hello'), (error: ServiceError | null, answer?: Buffer) =>
      error === null ? resolve(String(answer)) : reject(error),
    )
  }).finally(() => client.close())
}
