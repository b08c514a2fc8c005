import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

const one = (more: object = {}) => ({ template: { maxInstanceRequestConcurrency: 1, scaling: { maxInstanceCount: 1 }, ...more } })
/** CPU all the time. */
const always = { container: { resources: { cpuIdle: false } } }

/** Deadlines here are for a machine that others use too: what is asserted is the order of things, and times only as lower bounds. */
describe.concurrent('the life of instances', () => {
  let run: GivenRun
  beforeAll(async () => {
    run = await givenRun()
  })
  afterAll(async () => {
    await run[Symbol.asyncDispose]()
  })
  const instancesOf = (service: string) => run.house.catalog.run.serving(run.project).find(({ id }) => id === service)?.instances ?? []
  const statesOf = (service: string) => instancesOf(service).map(({ state }) => state)
  const numberFrom = async (service: string, path: string) => Number((await run.ask(service, path)).body)

  test('run trap 11: one more request at a time than the concurrency is answered by a second instance', async () => {
    await run.deploy('two', { template: { maxInstanceRequestConcurrency: 2 } })
    const answers = await Promise.all([1, 2, 3].map(() => run.ask('two', '/sleep?ms=8000')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ body }) => body)).size).toBe(2)
  })

  test('run trap 9: the CPU is off after the last response, and on again with the next request, as long as that takes', async () => {
    await run.deploy('ticks')
    const before = await numberFrom('ticks', '/ticks')
    await eventually('paused', () => statesOf('ticks').includes('paused'))
    await sleep(5000)
    const after = await numberFrom('ticks', '/ticks')
    expect(after - before).toBeLessThan(35) // of fifty in 5 s; what it did until the pause, and to catch up
    await run.ask('ticks', '/sleep?ms=3000')
    expect((await numberFrom('ticks', '/ticks')) - after).toBeGreaterThanOrEqual(15)
  })

  test('run trap 9: with CPU always allocated it goes on', async () => {
    await run.deploy('always', always)
    const before = await numberFrom('always', '/ticks')
    await sleep(5000)
    expect((await numberFrom('always', '/ticks')) - before).toBeGreaterThanOrEqual(35)
    expect(statesOf('always')).toEqual(['idle'])
  })

  test('run trap 8: a paused instance runs its SIGTERM handler, to its end', async () => {
    await run.deploy('term', { env: { TERM_MS: '1500' } })
    const id = (await run.ask('term', '/id')).body
    await eventually('paused', () => statesOf('term').includes('paused'))
    using log = run.follow('term')
    await run.deploy('term', { env: { TERM_MS: '0' } })
    await eventually('its handler ended', () => log.text().includes(`SIGTERM ${id}`) && log.text().includes(`ended ${id}`))
  })

  test('run trap 7: after SIGTERM 9 s are enough, and 11 s are cut; new requests go elsewhere meanwhile', async () => {
    await Promise.all([run.deploy('nine', { env: { TERM_MS: '9000' } }), run.deploy('eleven', { env: { TERM_MS: '11000' } })])
    const nine = (await run.ask('nine', '/id')).body
    const eleven = (await run.ask('eleven', '/id')).body
    using nineLog = run.follow('nine')
    using elevenLog = run.follow('eleven')
    await Promise.all([run.deploy('nine', { env: { V: '2' } }), run.deploy('eleven', { env: { V: '2' } })])
    await eventually('SIGTERM', () => nineLog.text().includes(`SIGTERM ${nine}`) && elevenLog.text().includes(`SIGTERM ${eleven}`))
    const elsewhere = await run.ask('nine', '/id')
    expect(elsewhere.status).toBe(200)
    expect(elsewhere.body).not.toBe(nine)
    await eventually(
      'the one ended, the other was cut',
      () => nineLog.text().includes(`ended ${nine}`) && elevenLog.text().includes('was killed'),
    )
    expect(elevenLog.text()).not.toContain(`ended ${eleven}`)
    expect(nineLog.text()).not.toContain('was killed')
  })

  test('a busy instance drains before it gets SIGTERM', async () => {
    await run.deploy('busy')
    using log = run.follow('busy')
    const slow = run.ask('busy', '/sleep?ms=6000')
    await eventually('it is busy', () => statesOf('busy').includes('active'))
    await run.deploy('busy', { env: { V: '2' } })
    expect(log.text()).not.toContain('SIGTERM')
    const answer = await slow
    expect(answer.status).toBe(200)
    await eventually('SIGTERM', () => log.text().includes(`SIGTERM ${answer.body}`))
  })

  test('run trap 12: at the maximum a request that waits too long gets 429 "Rate exceeded.", not at once and not never', async () => {
    await run.deploy('full', one())
    await run.ask('full', '/id')
    using log = run.follow('full')
    const began = performance.now()
    const all = [1, 2, 3].map(() => run.ask('full', '/sleep?ms=8000').then((answer) => ({ ...answer, ms: performance.now() - began })))
    const answers = await Promise.all(all)
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 429])
    const refused = answers.find(({ status }) => status === 429)
    expect(refused).toMatchObject({ body: 'Rate exceeded.', headers: { server: 'Google Frontend' } })
    expect(refused?.ms).toBeGreaterThanOrEqual(9900)
    await eventually('it is told', () => log.text().includes('The request was aborted because there was no available instance.'))
  })

  test('run trap 13 and 14: from zero a request is held while an instance starts; the timeout counts that too', async () => {
    await run.deploy('slow', { env: { BOOT_MS: '5000' } })
    await run.deploy('late', { env: { BOOT_MS: '5000' }, template: { timeout: '3s' } })
    const name = (await run.call('GET', `${run.parent}/services/slow`))['latestReadyRevision']
    const late = (await run.call('GET', `${run.parent}/services/late`))['latestReadyRevision']
    await toZero(run, [String(name), String(late)])
    const [held, timedOut] = await Promise.all([run.ask('slow', '/id'), run.ask('late', '/id')])
    expect(held.status).toBe(200)
    expect(timedOut).toMatchObject({ status: 504, body: 'upstream request timeout' })
  })

  test('run trap 15: after a 504 the handler goes on, in the instance that lives', async () => {
    await run.deploy('side', { ...always, template: { timeout: '2s' } })
    const [id] = (await run.ask('side', '/sides')).body.split(' ')
    expect((await run.ask('side', '/side?ms=4000')).status).toBe(504)
    await eventually('the side effect', async () => (await run.ask('side', '/sides')).body === `${id} 1`)
  })

  test('run trap 16: a crash gives 503 to those in flight, and the next request a new instance', async () => {
    await run.deploy('crash')
    using log = run.follow('crash')
    const before = (await run.ask('crash', '/id')).body
    const other = run.ask('crash', '/sleep?ms=20000')
    await eventually('it is in flight', () => instancesOf('crash')[0]?.inFlight === 1)
    expect((await run.ask('crash', '/crash?code=3')).status).toBe(503)
    expect((await other).status).toBe(503)
    const after = await eventually('a new instance', async () => {
      const { status, body } = await run.ask('crash', '/id')
      return status === 200 && body !== before && body
    })
    expect(after).not.toBe(before)
    await eventually('its end is told', () => log.text().includes('Container called exit(3).'))
  })

  test('run trap 17: an instance that takes more than its memory is killed, which is told, and another one comes', async () => {
    await run.deploy('memory', { container: { resources: { limits: { memory: '128Mi' } } } })
    using log = run.follow('memory')
    const before = (await run.ask('memory', '/id')).body
    expect([500, 503]).toContain((await run.ask('memory', '/allocate?mb=600')).status)
    await eventually('it is told', () => log.text().includes('was found to be using too much memory and was terminated'))
    expect(log.text()).toContain('Memory limit of 128Mi exceeded')
    await eventually('a new instance', async () => {
      const { status, body } = await run.ask('memory', '/id')
      return status === 200 && body !== before
    })
  })

  test('run trap 18: files do not outlive an instance, and two instances do not share them', async () => {
    await run.deploy('files', one({ scaling: { maxInstanceCount: 2 } }))
    const [writer] = await Promise.all([run.ask('files', '/write?path=/tmp/mine'), run.ask('files', '/sleep?ms=6000')])
    const answers = await Promise.all([run.ask('files', '/sleep?ms=6000'), run.ask('files', '/exists?path=/tmp/mine')])
    expect(new Set([writer.headers['x-instance'], ...answers.map(({ headers }) => headers['x-instance'])]).size).toBe(2)
    for (const { body } of await Promise.all([run.ask('files', '/exists?path=/tmp/mine'), run.ask('files', '/exists?path=/tmp/mine')]))
      if (body.includes(' ')) expect(body.endsWith('true')).toBe(body.startsWith(writer.body))
    await run.ask('files', '/crash')
    await run.ask('files', '/crash')
    const after = await eventually('a new instance', async () => {
      const answer = await run.ask('files', '/exists?path=/tmp/mine')
      return answer.status === 200 && answer.body
    })
    expect(after.startsWith(writer.body) || after.endsWith('false')).toBe(true)
  })

  test('run trap 50: session affinity leads to one instance; without it requests take turns', async () => {
    const template = { sessionAffinity: true, scaling: { minInstanceCount: 3 } }
    await run.deploy('session', { ...always, template })
    await eventually('three run', () => statesOf('session').filter((state) => state === 'idle').length === 3)
    const first = await run.ask('session', '/id')
    const cookie = String(first.headers['set-cookie']?.[0]).split(';')[0] ?? ''
    const bound = await Promise.all(Array.from({ length: 20 }, () => run.ask('session', '/id', { headers: { cookie } })))
    expect(new Set(bound.map(({ body }) => body))).toEqual(new Set([first.body]))
    const free: string[] = []
    for (let n = 0; n < 6; n += 1) free.push((await run.ask('session', '/id')).body)
    expect(new Set(free).size).toBe(3)
  })

  test('service-level scaling changes what runs without a new revision: min, manual, and back', async () => {
    const before = await run.deploy('scaled')
    const patch = (scaling: object) => run.call('PATCH', `${run.parent}/services/scaled?updateMask=scaling`, { scaling })
    const after = await patch({ minInstanceCount: 2 })
    expect(after['latestCreatedRevision']).toBe(before['latestCreatedRevision'])
    await eventually('two run', () => instancesOf('scaled').filter(({ id }) => id !== '').length === 2)
    await patch({ scalingMode: 'MANUAL', manualInstanceCount: 1 })
    await eventually('one runs', () => instancesOf('scaled').length === 1)
    await patch({ scalingMode: 'MANUAL', manualInstanceCount: 3 })
    await eventually('three run', () => instancesOf('scaled').filter(({ id }) => id !== '').length === 3)
  })

  test('an application that ends soon after each start is started again ever later, which is told with what it said last', async () => {
    using log = run.follow('loop')
    await run.deploy('loop', { env: { EXIT_AFTER_MS: '400' }, service: { scaling: { minInstanceCount: 1 } } })
    const gaps = () => [...log.text().matchAll(/The next one starts in (\d+) s at the earliest/g)].map(([, seconds]) => Number(seconds))
    await eventually('three gaps', () => gaps().length >= 3)
    expect(gaps().slice(0, 3)).toEqual([1, 2, 4])
    expect(log.text()).toContain('Container called exit(1).')
    expect(log.text().match(/^started /gm)?.length).toBeGreaterThanOrEqual(3)
    await run.call('DELETE', `${run.parent}/services/loop`)
  })

  test('an instance that a user removed is replaced', async () => {
    await run.deploy('removed', { service: { scaling: { minInstanceCount: 1 } } })
    const [before] = instancesOf('removed')
    const engine = await run.house.foundation.engines.forProject(run.project)
    const containers = await engine.list(AbortSignal.timeout(10_000))
    const { execFileSync } = await import('node:child_process')
    execFileSync('docker', ['rm', '-f', containers.find(({ id }) => id === before?.id)?.id ?? ''], { stdio: 'ignore' })
    await eventually('another one runs', () => instancesOf('removed').some(({ id }) => id !== '' && id !== before?.id))
    expect((await run.ask('removed', '/id')).status).toBe(200)
  })
})

test('run trap 19: an idle instance stops after the idle limit, which tells, its lines stay; min-instances are kept', async () => {
  vi.stubEnv('DEVCLOUD_IDLE_SECONDS', '2')
  await using run = await givenRun()
  await run.deploy('idle')
  await run.deploy('kept', { service: { scaling: { minInstanceCount: 1 } } })
  const id = (await run.ask('idle', '/id')).body
  const kept = (await run.ask('kept', '/id')).body
  const instances = () => run.house.catalog.run.serving(run.project).map((service) => `${service.id} ${service.instances.length}`)
  await eventually('it is gone', () => instances().includes('idle 0'))
  await sleep(3000)
  expect(instances()).toContain('kept 1')
  expect((await run.ask('kept', '/id')).body).toBe(kept)
  const lines = run.house.foundation.containerLog.tail({ project: run.project, owner: 'idle' }, 100).map(({ text }) => text)
  expect(lines).toContain(`started ${id}`)
  expect(lines.join('\n')).toContain('Shutting down instance: it was idle.')
  expect(lines[0]).toContain('Starting new instance. Reason: DEPLOYMENT_ROLLOUT - ')
  expect((await run.ask('idle', '/id')).body).not.toBe(id)
  vi.unstubAllEnvs()
})

test('what an earlier daemon left is taken over, paused or not, and nothing is started in its place', async () => {
  await using run = await givenRun()
  await run.deploy('paused', { service: { scaling: { minInstanceCount: 1 } } })
  await run.deploy('busy')
  const ids = [(await run.ask('paused', '/id')).body, (await run.ask('busy', '/id')).body]
  const states = () => run.house.catalog.run.serving(run.project).flatMap(({ instances }) => instances.map(({ state }) => state))
  await eventually('both are paused', () => states().every((state) => state === 'paused'))
  await run.restart()
  expect([(await run.ask('paused', '/id')).body, (await run.ask('busy', '/id')).body]).toEqual(ids)
  expect(states()).toHaveLength(2)
})

/** Stops what runs for these revisions, as the idle limit does. */
async function toZero(run: GivenRun, revisions: readonly string[]): Promise<void> {
  const engine = await run.house.foundation.engines.forProject(run.project)
  for (const container of await engine.list(AbortSignal.timeout(10_000)))
    if (revisions.includes(container.labels['revisionName'] ?? '')) await container.stop(0, AbortSignal.timeout(20_000))
  await eventually('none runs', () =>
    run.house.catalog.run
      .serving(run.project)
      .filter(({ revision }) => revisions.some((name) => name.endsWith(`/${revision}`)))
      .every(({ instances }) => instances.length === 0),
  )
}
