import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

/** The first process of a container gets no SIGTERM that it does not ask for. */
const obedient = `process.on('SIGTERM', () => process.exit());`

/** A sidecar that serves its environment on `port`. */
function sidecar(run: GivenRun, name: string, port: number, more: object = {}) {
  const program = `${obedient}require('node:http').createServer((q, r) => r.end(JSON.stringify(process.env))).listen(${port})`
  return { name, image: run.image, command: ['node', '-e', program], ...more }
}

/** In one house, side by side: each has services of its own. */
describe.concurrent('instances of several containers', () => {
  let run: GivenRun
  beforeAll(async () => void (run = await givenRun()))
  afterAll(async () => await run[Symbol.asyncDispose]())

  test('an instance is gone when one of its containers ends, and the next request gets another', async () => {
    const dying = { name: 'side', image: run.image, command: ['node', '-e', `${obedient}setTimeout(() => process.exit(3), 6000)`] }
    await run.deploy('mortal', { template: { containers: [{ name: 'app', image: run.image, ports: [{ containerPort: 8080 }] }, dying] } })
    const before = await run.ask('mortal', '/id')
    const after = await eventually('another instance', async () => {
      const now = await run.ask('mortal', '/id')
      return now.status === 200 && now.body !== before.body && now
    })
    expect(after.status).toBe(200)
    const engine = await run.house.foundation.engines.choose('docker')
    await eventually('the first one is removed', async () => {
      const containers = (await engine.list(AbortSignal.timeout(10_000))).filter(({ labels }) => labels['service'] === 'mortal')
      return new Set(containers.map((container) => container.labels['instance'])).size === containers.length / 2
    })
  })

  test('run trap 43: two containers cannot bind one port', async () => {
    const program = `${obedient}const http = require('node:http'); http.createServer(() => {}).on('error', (e) => http.createServer((q, r) => r.end(e.code)).listen(9000)).listen(8080)`
    const side = { name: 'side', image: run.image, command: ['node', '-e', program], dependsOn: ['app'] }
    await run.deploy('clash', { template: { containers: [{ name: 'app', image: run.image, ports: [{ containerPort: 8080 }] }, side] } })
    const path = `/fetch?url=${encodeURIComponent('http://side:9000/')}`
    const told = await eventually('the sidecar tells', async () => {
      const answer = await run.ask('clash', path)
      return answer.status === 200 && answer.body
    })
    expect(told).toBe('200 EADDRINUSE')
  })

  test('run trap 41: a sidecar without a startup probe does not gate, one with a probe does', async () => {
    const slow = (ms: number, probe: object) => {
      const program = `${obedient}setTimeout(() => require('node:http').createServer((q, r) => r.end()).listen(9000, () => console.log('side listens')), ${ms})`
      return { name: 'side', image: run.image, command: ['node', '-e', program], ...probe }
    }
    const app = { name: 'app', image: run.image, ports: [{ containerPort: 8080 }], dependsOn: ['side'] }
    const ask = async (service: string) => (await run.ask(service, `/fetch?url=${encodeURIComponent('http://localhost:9000/')}`)).status
    await run.deploy('open', { template: { containers: [app, slow(8000, {})] } })
    expect(await ask('open')).toBe(500)
    const startupProbe = { tcpSocket: { port: 9000 }, periodSeconds: 1, failureThreshold: 30 }
    await run.deploy('gated', { template: { containers: [app, slow(3000, { startupProbe })] } })
    expect(await ask('gated')).toBe(200)
  })

  test('run trap 10: a sidecar is without CPU when its ingress is, and both are back for the next request', async () => {
    const app = { name: 'app', image: run.image, ports: [{ containerPort: 8080 }], resources: { cpuIdle: true } }
    await run.deploy('pair', { template: { containers: [app, sidecar(run, 'side', 9000)] } })
    const ask = async () => (await run.ask('pair', `/fetch?url=${encodeURIComponent('http://side:9000/')}`)).status
    expect(await eventually('the sidecar answers', async () => (await ask()) === 200)).toBe(true)
    const engine = await run.house.foundation.engines.choose('docker')
    await eventually('both are paused', async () => {
      const containers = (await engine.list(AbortSignal.timeout(10_000))).filter(({ labels }) => labels['service'] === 'pair')
      return containers.length === 2 && containers.every(({ state }) => state === 'paused')
    })
    expect(await ask()).toBe(200)
  })
})

test('run traps 1 and 43: PORT is of the ingress container alone, K_* of all; they meet on localhost and by name, whoever started first', async () => {
  await using run = await givenRun()
  const ingress = { name: 'app', image: run.image, ports: [{ containerPort: 8081 }] }
  await run.deploy('pair', { template: { containers: [{ ...ingress, dependsOn: ['side'] }, sidecar(run, 'side', 9000)] } })
  expect(JSON.parse((await run.ask('pair', '/env')).body)).toMatchObject({ PORT: '8081', K_SERVICE: 'pair', K_CONFIGURATION: 'pair' })
  for (const host of ['localhost', '127.0.0.1', 'side']) {
    const { body } = await run.ask('pair', `/fetch?url=${encodeURIComponent(`http://${host}:9000/`)}`)
    expect(body, host).toMatch(/^200 /)
    const env = JSON.parse(body.slice(4)) as Record<string, string>
    expect(env).toMatchObject({ K_SERVICE: 'pair', K_CONFIGURATION: 'pair' })
    expect(env).not.toHaveProperty('PORT')
  }
  const first = await run.ask('pair', '/id')
  await run.restart()
  expect(await run.ask('pair', '/id')).toMatchObject({ status: 200, body: first.body })
  const answer = await run.ask('pair', `/fetch?url=${encodeURIComponent('http://app:8081/id')}`)
  expect(answer.body).toBe(`200 ${first.body}`)
})
