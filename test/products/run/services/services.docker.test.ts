import { isRecord } from '../../../../src/base/is-record.ts'
import { RevisionsClient, ServicesClient, type protos } from '@google-cloud/run'
import { credentials } from '@grpc/grpc-js'
import { OAuth2Client } from 'google-auth-library'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Json } from '../../../../src/api/google-api.ts'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

type Service = protos.google.cloud.run.v2.IService

describe('services, by Google’s own client and by version 1', { timeout: 120_000 }, () => {
  let run: GivenRun
  let services: ServicesClient
  let revisions: RevisionsClient
  let byRest: ServicesClient
  beforeAll(async () => {
    run = await givenRun()
    const endpoint = { apiEndpoint: 'localhost', port: run.house.gateway.port }
    const options = { ...endpoint, sslCreds: credentials.createInsecure() }
    services = new ServicesClient(options)
    revisions = new RevisionsClient(options)
    const authClient = new OAuth2Client()
    authClient.setCredentials({ access_token: run.house.foundation.tokens.accessToken('you@devcloud.local').token })
    byRest = new ServicesClient({ ...endpoint, fallback: true, protocol: 'http', authClient: authClient as never })
  }, 120_000)
  afterAll(async () => {
    await Promise.all([services.close(), revisions.close(), byRest.close()])
    await run[Symbol.asyncDispose]()
  })
  const template = (env: Record<string, string> = {}) => ({
    containers: [{ image: run.image, env: Object.entries(env).map(([name, value]) => ({ name, value })) }],
  })
  const create = async (serviceId: string, service: Service = { template: template() }): Promise<Service> => {
    const [operation] = await services.createService({ parent: run.parent, serviceId, service })
    const [made] = await operation.promise()
    return made
  }
  const host = 'https://us-central1-run.googleapis.com'
  const knative = () => `${host}/apis/serving.knative.dev/v1/namespaces/${run.project}/services`
  const v1 = (name: string, spec: object = {}, metadata: object = {}) => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name, namespace: run.project, ...metadata },
    spec: { template: { spec: { containers: [{ image: run.image }] } }, ...spec },
  })

  test('Node’s client creates, reads, updates with a mask and deletes, over gRPC and over REST', async () => {
    const made = await create('node')
    expect(made).toMatchObject({ creator: 'you@devcloud.local', lastModifier: 'you@devcloud.local', ingress: 1 })
    expect(made.urls).toEqual([expect.stringMatching(/^https:\/\/node-\d{12}\.us-central1\.run\.app$/), made.uri])
    const [read] = await byRest.getService({ name: made.name ?? '' })
    expect(read).toMatchObject({ name: made.name, uid: made.uid, etag: made.etag })
    const [listed] = await byRest.listServices({ parent: run.parent })
    expect(listed.map(({ name }) => name)).toContain(made.name)
    const service = { name: made.name ?? '', description: 'mine', labels: { a: 'b' } }
    const [operation] = await services.updateService({ service, updateMask: { paths: ['description'] } })
    const [updated] = await operation.promise()
    expect(updated).toMatchObject({ description: 'mine', labels: {}, latestReadyRevision: made.latestReadyRevision })
    const [[revision]] = await revisions.listRevisions({ parent: made.name ?? '' })
    expect(revision).toMatchObject({ name: made.latestReadyRevision, service: 'node', creator: 'you@devcloud.local' })
    await expect(services.updateService({ service: { ...service, etag: made.etag ?? '', template: template() } })).rejects.toMatchObject({
      code: 10,
    })
    const [deleting] = await services.deleteService({ name: made.name ?? '' })
    const [deleted] = await deleting.promise()
    expect(deleted.deleteTime).toBeTruthy()
    await expect(services.getService({ name: made.name ?? '' })).rejects.toMatchObject({ code: 5 })
    expect((await services.listServices({ parent: run.parent }))[0].map(({ name }) => name)).not.toContain(made.name)
    const [withDeleted] = await services.listServices({ parent: run.parent, showDeleted: true })
    expect(withDeleted.map(({ name }) => name)).toContain(made.name)
  })

  test('services are listed newest first, by pages, of one location', async () => {
    for (const id of ['list-b', 'list-a', 'list-c']) await create(id)
    const seen: (string | undefined)[] = []
    let pageToken = ''
    do {
      const [page, , { nextPageToken = '' } = {}] = (await services.listServices({ parent: run.parent, pageSize: 1, pageToken }, { autoPaginate: false })) as [Service[], unknown, { nextPageToken?: string } | undefined] // prettier-ignore
      seen.push(...page.map(({ name }) => name?.split('/').at(-1)))
      pageToken = nextPageToken
    } while (pageToken !== '')
    expect(seen.filter((id) => id?.startsWith('list-'))).toEqual(['list-c', 'list-a', 'list-b'])
    await expect(services.listServices({ parent: `projects/${run.project}/locations/-` })).rejects.toMatchObject({ code: 3 })
  })

  test('run trap 37: validateOnly and dryRun=all fill in defaults, tell faults, and store nothing', async () => {
    const [operation] = await services.createService({
      parent: run.parent,
      serviceId: 'dry',
      service: { template: template() },
      validateOnly: true,
    })
    expect(operation.done).toBe(true)
    await expect(services.createService({ parent: run.parent, serviceId: 'dry', service: {}, validateOnly: true })).rejects.toMatchObject({
      code: 3,
    })
    const told = await run.house.api.call('POST', `${knative()}?dryRun=all`, v1('dry'))
    expect(told).toMatchObject({ spec: { template: { spec: { containerConcurrency: 80, timeoutSeconds: 300 } } } })
    expect(await run.house.api.find(`${knative()}/dry`)).toBeUndefined()
    const first = await create('dry')
    await run.house.api.call(
      'PUT',
      `${knative()}/dry?dryRun=all`,
      v1('dry', {}, { annotations: { 'run.googleapis.com/description': 'x' } }),
    )
    const [after] = await services.getService({ name: first.name ?? '' })
    expect(after).toMatchObject({ etag: first.etag, description: '' })
  })

  test('run trap 34: a stale resourceVersion is 409, and a fresh one is taken', async () => {
    await create('stale')
    const read = await run.house.api.call('GET', `${knative()}/stale`)
    const { resourceVersion, namespace } = read['metadata'] as Json
    expect(namespace).toMatch(/^\d{12}$/)
    await run.house.api.call('PUT', `${knative()}/stale`, v1('stale', {}, { resourceVersion }))
    await expect(run.house.api.call('PUT', `${knative()}/stale`, v1('stale', {}, { resourceVersion }))).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })

  test('version 1 lists by label, by pages, and has routes and configurations', async () => {
    const nonce = { 'client.knative.dev/nonce': 'abcdefghij' }
    const labelled = { template: { metadata: { labels: nonce }, spec: { containers: [{ image: run.image }] } } }
    await run.house.api.call('POST', knative(), v1('labels', labelled, { labels: { team: 'x' } }))
    const isReady = (found: Json) => ((found['status'] as Json)['conditions'] as Json[]).every(({ status }) => status === 'True')
    await eventually('the service to be ready', async () => isReady(await run.house.api.call('GET', `${knative()}/labels`)))
    const items = async (url: string) =>
      ((await run.house.api.call('GET', url))['items'] as Json[]).map(({ metadata }) => (metadata as Json)['name'])
    const root = knative().replace('/services', '')
    expect(await items(`${knative()}?labelSelector=${encodeURIComponent('team = x')}`)).toEqual(['labels'])
    const [revision] = await items(`${root}/revisions?labelSelector=${encodeURIComponent('client.knative.dev/nonce = abcdefghij')}`)
    expect(revision).toMatch(/^labels-00001-/)
    const first = await run.house.api.call('GET', `${knative()}?limit=1`)
    expect((first['metadata'] as Json)['continue']).toBeTruthy()
    for (const [collection, kind] of [['routes', 'Route'], ['configurations', 'Configuration']] as const) {
      const found = await run.house.api.call('GET', `${root}/${collection}/labels`)
      expect(found).toMatchObject({ kind, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    } // prettier-ignore
    expect(await items('https://run.googleapis.com/v1/projects/' + run.project + '/locations/-/services')).toContain('labels')
    const { locations } = await run.house.api.call('GET', `https://run.googleapis.com/v1/projects/${run.project}/locations`)
    expect((locations as Json[]).map(({ locationId }) => locationId)).toContain('us-central1')
  })

  test('allow_missing creates, and an unknown service is NOT_FOUND without it', async () => {
    const service = { name: `${run.parent}/services/missing`, template: template() }
    await expect(services.updateService({ service })).rejects.toMatchObject({ code: 5 })
    const [operation] = await services.updateService({ service, allowMissing: true })
    const [made] = await operation.promise()
    expect(made.latestReadyRevision).toMatch(/missing-00001-/)
  })

  test.each<readonly [what: string, service: Service, code: number, words: string]>([
    ['a reserved label', { labels: { 'run.googleapis.com/x': 'y' } }, 3, 'reserved for the system'],
    ['a reserved annotation of the template', { template: { annotations: { 'autoscaling.knative.dev/minScale': '1' } } }, 3, 'reserved for the system'],
    ['a GPU', { template: { nodeSelector: { accelerator: 'nvidia-l4' } } }, 12, 'GPUs'],
    ['a build', { buildConfig: { functionTarget: 'f' } }, 12, 'buildConfig'],
    ['Identity-Aware Proxy', { iapEnabled: true }, 12, 'Identity-Aware Proxy'],
    ['several regions', { multiRegionSettings: { regions: ['a', 'b'] } }, 12, 'several regions'],
    ['a mesh', { template: { serviceMesh: { mesh: 'm' } } }, 12, 'Mesh'],
    ['a foreign revision name', { template: { revision: 'other-1' } }, 3, 'must be prefixed by "bad-"'],
    ['a long timeout', { template: { timeout: { seconds: 3601 } } }, 3, 'timeout'],
    ['too much concurrency', { template: { maxInstanceRequestConcurrency: 1001 } }, 3, 'concurrency'],
    ['min above max', { template: { scaling: { minInstanceCount: 3, maxInstanceCount: 2 } } }, 3, 'must not be greater than'],
    ['a tag twice', { traffic: [{ percent: 100, tag: 'a' }, { tag: 'a' }] }, 3, 'may be used once'],
    ['a revision that is not there', { traffic: [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'bad-9', percent: 100 }] }, 9, "'bad-9' is not found"],
  ])('%s is refused', async (_what, service, code, words) => {
    const wanted = { ...service, template: { ...template(), ...service.template } }
    const asked = services.createService({ parent: run.parent, serviceId: 'bad', service: wanted })
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
  }) // prettier-ignore

  test('what has no effect here is kept as it was sent', async () => {
    const kept = {
      client: 'mine',
      clientVersion: '1',
      launchStage: 3,
      customAudiences: ['https://a'],
      binaryAuthorization: { useDefault: true },
      template: {
        ...template(),
        vpcAccess: { connector: 'c', egress: 1 },
        encryptionKey: 'projects/p/locations/r/keyRings/k/cryptoKeys/c',
      },
    }
    const made = await create('kept', kept)
    expect(made).toMatchObject({ ...kept, template: { vpcAccess: kept.template.vpcAccess, encryptionKey: kept.template.encryptionKey } })
    const [revision] = await revisions.getRevision({ name: made.latestReadyRevision ?? '' })
    expect(revision).toMatchObject({ vpcAccess: { connector: 'c' }, launchStage: 'BETA' })
  })

  test('a deployment that the daemon left is told as failed, and is tried again when it is asked for', async () => {
    const body = { template: template({ BOOT_MS: '4000' }) }
    const url = `https://run.googleapis.com/v2/${run.parent}/services`
    const started = await run.house.api.call('POST', `${url}?serviceId=left`, body)
    await run.restart()
    const operation = await run.house.api.call('GET', `https://run.googleapis.com/v2/${String(started['name'])}`)
    expect(operation).toMatchObject({ done: true, error: { message: expect.stringContaining('daemon ended') } })
    const left = await run.house.api.call('GET', `${url}/left`)
    expect(left).toMatchObject({ terminalCondition: { state: 'CONDITION_FAILED' } })
    expect(left).not.toHaveProperty('reconciling')
    const again = await run.call('PATCH', `${run.parent}/services/left`, body)
    expect(isRecord(again['terminalCondition']) && again['terminalCondition']['state']).toBe('CONDITION_SUCCEEDED')
    expect(again['latestReadyRevision']).toBe(left['latestCreatedRevision'])
  })
})
