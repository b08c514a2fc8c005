import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRecord } from '../../../../src/base/is-record.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Json } from '../../../../src/api/google-api.ts'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

const latest = { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST' }
const toRevision = (revision: string, percent: number, tag?: string) => ({
  type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION',
  revision,
  percent,
  ...(tag !== undefined && { tag }),
})
const idOf = (name: unknown) => String(name).split('/').at(-1) ?? ''

/** Asks the router over TLS, as whoever resolves run.app to this machine does. */
function statusOf(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    https
      .get(
        { host: '127.0.0.1', port, servername: host, path: '/id', headers: { host }, rejectUnauthorized: false, agent: false },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      .once('error', reject)
  })
}

describe('revisions and traffic', { timeout: 120_000 }, () => {
  let run: GivenRun
  beforeAll(async () => void (run = await givenRun()), 120_000)
  afterAll(async () => await run[Symbol.asyncDispose]())

  const get = (service: string) => run.call('GET', `${run.parent}/services/${service}`)
  const revisionsOf = async (service: string) => {
    const { revisions } = await run.call('GET', `${run.parent}/services/${service}/revisions`)
    return (Array.isArray(revisions) ? revisions.filter(isRecord) : []).map(({ name }) => idOf(name))
  }
  const patch = (service: string, mask: string, body: unknown) =>
    run.call('PATCH', `${run.parent}/services/${service}?updateMask=${mask}`, body)
  const answering = async (host: string, path = '/env') => {
    const { body, status } = await run.ask(host, path)
    return status === 200 ? String((JSON.parse(body) as Json)['K_REVISION']) : `status ${status}`
  }

  test('run trap 29: traffic, scaling, ingress, invoker and labels of the service make no revision, another environment does', async () => {
    const { latestReadyRevision: first } = await run.deploy('a29', { env: { A: '1' } })
    const body = {
      labels: { team: 'x' },
      scaling: { minInstanceCount: 1, maxInstanceCount: 4 },
      ingress: 'INGRESS_TRAFFIC_INTERNAL_ONLY',
      invokerIamDisabled: true,
      traffic: [toRevision(idOf(first), 100, 'stable')],
    }
    const changed = await patch('a29', 'labels,scaling,ingress,invokerIamDisabled,traffic', body)
    expect(changed).toMatchObject({
      ...body,
      latestReadyRevision: first,
      latestCreatedRevision: first,
      generation: '2',
      observedGeneration: '2',
    })
    expect(await revisionsOf('a29')).toHaveLength(1)
    await run.deploy('a29', { env: { A: '2' } })
    expect(await revisionsOf('a29')).toHaveLength(2)
  })

  test('a request timeout and session affinity stay with the revision that was deployed with them', async () => {
    const one = idOf((await run.deploy('own', { template: { timeout: '1s', sessionAffinity: true } }))['latestReadyRevision'])
    const two = idOf((await run.deploy('own'))['latestReadyRevision'])
    await patch('own', 'traffic', { traffic: [toRevision(one, 0, 'old'), toRevision(two, 100)] })
    expect((await run.ask('old---own', '/id')).headers['set-cookie']).toEqual([expect.stringMatching(/^GAESA=/)])
    expect((await run.ask('old---own', '/sleep?ms=2500')).status).toBe(504)
    const answer = await run.ask('own', '/sleep?ms=2500')
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('run trap 30: 90 to 10 over 1000 requests is within 3 sigma, and a tag of 0 percent is reached by its host alone', async () => {
    const one = idOf((await run.deploy('a30', { env: { A: '1' } }))['latestReadyRevision'])
    const two = idOf((await run.deploy('a30', { env: { A: '2' } }))['latestReadyRevision'])
    const three = idOf((await run.deploy('a30', { env: { A: '3' } }))['latestReadyRevision'])
    const split = [toRevision(one, 90), toRevision(two, 10), toRevision(three, 0, 'canary')]
    const service = await patch('a30', 'traffic', { traffic: split })
    expect(service['trafficStatuses']).toMatchObject([
      { revision: one, percent: 90 },
      { revision: two, percent: 10 },
      { revision: three, tag: 'canary', uri: String(service['uri']).replace('https://', 'https://canary---') },
    ])
    const counts: Record<string, number> = {}
    for (let n = 0; n < 50; n += 1) {
      const found = await Promise.all(Array.from({ length: 20 }, () => answering('a30')))
      for (const revision of found) counts[revision] = (counts[revision] ?? 0) + 1
    }
    expect(Object.keys(counts).toSorted()).toEqual([one, two])
    expect(Math.abs((counts[two] ?? 0) - 100)).toBeLessThanOrEqual(3 * Math.sqrt(1000 * 0.1 * 0.9))
    expect(await answering('canary---a30')).toBe(three)
    await expect(patch('a30', 'traffic', { traffic: [toRevision(one, 90)] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('sum of percentages should be 100'),
    })
  })

  test('run trap 31: a split persists over the next deploy, and LATEST follows again when it is asked for', async () => {
    const one = idOf((await run.deploy('a31', { env: { A: '1' } }))['latestReadyRevision'])
    await patch('a31', 'traffic', { traffic: [toRevision(one, 100)] })
    const service = await patch('a31', 'template', { template: { containers: [{ image: run.image, env: [{ name: 'A', value: '2' }] }] } })
    const two = idOf(service['latestReadyRevision'])
    expect(two).not.toBe(one)
    expect(await answering('a31')).toBe(one)
    await patch('a31', 'traffic', { traffic: [{ ...latest, percent: 100 }] })
    expect(await answering('a31')).toBe(two)
    await patch('a31', 'traffic', { traffic: [toRevision(one, 100)] }) // rollback
    expect(await answering('a31')).toBe(one)
  })

  test('run trap 32: a failed deployment leaves traffic where it was, and can be rolled forward', async () => {
    const good = (await run.deploy('a32'))['latestReadyRevision']
    await expect(run.deploy('a32', { env: { BOOT_EXIT: '3' } })).rejects.toMatchObject({ message: expect.stringContaining('3') })
    const service = await get('a32')
    expect(service).toMatchObject({
      latestReadyRevision: good,
      generation: '2',
      observedGeneration: '1',
      terminalCondition: { type: 'Ready', state: 'CONDITION_FAILED', revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' },
      trafficStatuses: [{ revision: idOf(good), percent: 100 }],
    })
    expect(service['latestCreatedRevision']).not.toBe(good)
    const failed = await run.call('GET', String(service['latestCreatedRevision']))
    expect(failed['conditions']).toMatchObject([{ type: 'Ready', state: 'CONDITION_FAILED' }, { type: 'ContainerHealthy' }])
    expect(await answering('a32')).toBe(idOf(good))
    await expect(patch('a32', 'traffic', { traffic: [toRevision(idOf(failed['name']), 100)] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    })
    const pinned = await patch('a32', 'traffic', { traffic: [toRevision(idOf(good), 100)] })
    expect(pinned['terminalCondition']).toMatchObject({ state: 'CONDITION_SUCCEEDED' })
    expect(pinned['terminalCondition']).not.toHaveProperty('reason')
    const mended = await patch('a32', 'template,traffic', { template: { containers: [{ image: run.image }] }, traffic: [] })
    expect(await answering('a32')).toBe(idOf(mended['latestReadyRevision']))
  })

  test('run trap 33: no poll during a deployment shows Ready of the old generation as done', async () => {
    await run.deploy('a33')
    const deployed = run.deploy('a33', { env: { BOOT_MS: '1500' } })
    await eventually('the second generation', async () => (await get('a33'))['generation'] === '2')
    const polled: Json[] = []
    do {
      polled.push(await get('a33'))
      await sleep(20)
    } while (polled.at(-1)?.['reconciling'] === true)
    await deployed
    const before = polled.slice(0, -1)
    expect(before.length).toBeGreaterThan(2)
    for (const service of before)
      expect(service).toMatchObject({ reconciling: true, observedGeneration: '1', terminalCondition: { state: 'CONDITION_RECONCILING' } })
    expect(polled.at(-1)).toMatchObject({ terminalCondition: { state: 'CONDITION_SUCCEEDED' } })
    expect(polled.at(-1)).not.toHaveProperty('reconciling')
  })

  test('run trap 34: a stale etag is ABORTED, and a revision name is never given twice', async () => {
    const named = (value: string) => ({ containers: [{ image: run.image, env: [{ name: 'A', value }] }], revision: 'a34-one' })
    const first = await run.call('POST', `${run.parent}/services?serviceId=a34`, { template: named('1') })
    expect(idOf(first['latestReadyRevision'])).toBe('a34-one')
    await expect(patch('a34', 'template', { template: named('2') })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining("Revision named 'a34-one' with different configuration already exists."),
    })
    await run.call('PATCH', `${run.parent}/services/a34`, { template: { containers: [{ image: run.image }] } })
    await expect(run.call('PATCH', `${run.parent}/services/a34`, { etag: first['etag'], template: named('1') })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await run.call('DELETE', `${run.parent}/services/a34/revisions/a34-one`)
    expect(await revisionsOf('a34')).toHaveLength(1)
    await expect(patch('a34', 'template', { template: named('1') })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })

  test('run trap 35: an update without mask replaces, one of the template keeps labels', async () => {
    await run.deploy('a35', { env: { A: '1' }, service: { labels: { team: 'x' }, description: 'mine' } })
    const masked = await patch('a35', 'template', { template: { containers: [{ image: run.image, env: [{ name: 'B', value: '2' }] }] } })
    expect(masked).toMatchObject({ labels: { team: 'x' }, description: 'mine' })
    const replaced = await run.call('PATCH', `${run.parent}/services/a35`, { template: { containers: [{ image: run.image }] } })
    expect(replaced).not.toHaveProperty('labels')
    expect(replaced).not.toHaveProperty('description')
    expect(JSON.stringify(replaced)).not.toContain('"B"')
  })

  test('requests under way finish on the old revision while traffic moves', async () => {
    await run.deploy('drain', { env: { A: '1' } })
    const { body: old } = await run.ask('drain', '/id')
    const slow = run.ask('drain', '/sleep?ms=2500')
    await run.deploy('drain', { env: { A: '2' } })
    expect((await run.ask('drain', '/id')).body).not.toBe(old)
    expect(await slow).toMatchObject({ status: 200, body: old })
    const retired = await eventually('the old revision to retire', async () => {
      const found = await run.call('GET', `${run.parent}/services/drain/revisions/${(await revisionsOf('drain'))[1]}`)
      const conditions = Array.isArray(found['conditions']) ? found['conditions'].filter(isRecord) : []
      return conditions.find(({ type, state }) => type === 'Active' && state === 'CONDITION_FAILED')
    })
    expect(retired).toMatchObject({ severity: 'INFO', revisionReason: 'RETIRED' })
  })

  test('a revision that takes traffic, or is the latest, is not deleted', async () => {
    await run.deploy('keep', { env: { A: '1' } })
    await run.deploy('keep', { env: { A: '2' } })
    const [newest, oldest] = await revisionsOf('keep')
    await expect(run.call('DELETE', `${run.parent}/services/keep/revisions/${newest}`)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('takes traffic'),
    })
    await patch('keep', 'traffic', { traffic: [toRevision(String(oldest), 100)] })
    await expect(run.call('DELETE', `${run.parent}/services/keep/revisions/${newest}`)).rejects.toMatchObject({
      message: expect.stringContaining('is the latest'),
    })
  })

  test('a default URL that is disabled is not routed, names of this machine are', async () => {
    const before = await run.deploy('nourl')
    const { host } = new URL(String(before['uri']))
    const { port } = run.house.foundation.router
    expect(await statusOf(host, port)).toBe(200)
    const service = await patch('nourl', 'defaultUriDisabled', { defaultUriDisabled: true })
    expect(service).not.toHaveProperty('uri')
    expect(await statusOf(host, port)).toBe(404)
    expect(await run.ask('nourl', '/id')).toMatchObject({ status: 200 })
  })
})
