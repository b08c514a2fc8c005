import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SecretManagerService } from '../../src/api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { SecretPayloadSchema } from '../../src/api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { openDaemon, type Daemon } from '../../src/daemon/daemon.ts'

/** Of the project that wants in, and of the one that has something. */
const thief = 'thief@thief-app.iam.gserviceaccount.com'
const owner = 'owner@shop-app.iam.gserviceaccount.com'

let directory: string
let daemon: Daemon

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dc-'))
  daemon = await openDaemon({ stateDirectory: directory, port: 0, onShutdown: () => {} })
  const { api } = daemon.house
  for (const id of ['thief', 'owner']) {
    const body = { accountId: `${id}-account`, serviceAccount: {} }
    await api.call('POST', `https://iam.googleapis.com/v1/projects/${id === 'thief' ? 'thief-app' : 'shop-app'}/serviceAccounts`, body)
  }
  await api.call('POST', `${secrets}?secretId=key`, { replication: { automatic: {} } })
  await api.call('POST', `${secrets}/key:addVersion`, { payload: { data: Buffer.from('c4n4ry').toString('base64') } })
  await api.call('POST', 'https://storage.googleapis.com/storage/v1/b?project=shop-app', { name: 'shop-bytes' })
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

const secrets = 'https://secretmanager.googleapis.com/v1/projects/shop-app/secrets'
const buckets = 'https://storage.googleapis.com/storage/v1/b'
const account = 'owner-account@shop-app.iam.gserviceaccount.com'
const service = { template: { containers: [{ image: 'a' }] } }

/** Every product, read and written, by each way of naming the other project. */
const calls: readonly (readonly [method: string, url: string, body: object | undefined])[] = (
  [
    ['GET', secrets],
    ['GET', `${secrets}/key`],
    ['GET', `${secrets}/key/versions/latest:access`],
    ['POST', `${secrets}?secretId=mine`, { replication: { automatic: {} } }],
    ['POST', `${secrets}/key:addVersion`, { payload: { data: 'AAAA' } }],
    ['PATCH', `${secrets}/key?updateMask=labels`, { name: 'projects/shop-app/secrets/key', labels: { a: 'b' } }],
    ['POST', `${secrets}/key:setIamPolicy`, { policy: { bindings: [{ role: 'roles/owner', members: [`serviceAccount:${thief}`] }] } }],
    ['DELETE', `${secrets}/key`],
    ['GET', secrets.replace('shop-app', 'NUMBER')],
    ['GET', 'https://run.googleapis.com/v2/projects/shop-app/locations/us-central1/services'],
    ['POST', 'https://run.googleapis.com/v2/projects/shop-app/locations/us-central1/services?serviceId=mine', service],
    ['POST', 'https://run.googleapis.com/v2/projects/brand-new/locations/us-central1/services?serviceId=mine', service],
    ['GET', 'https://us-central1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/shop-app/services'],
    [
      'POST',
      'https://run.googleapis.com/v2/projects/thief-app/locations/us-central1/services?serviceId=mine',
      { template: { ...service.template, serviceAccount: account } },
    ],
    [
      'POST',
      'https://us-central1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/thief-app/services',
      {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        metadata: { name: 'mine' },
        spec: { template: { spec: { serviceAccountName: account, containers: [{ image: 'a' }] } } },
      },
    ],
    ['GET', 'https://sqladmin.googleapis.com/sql/v1beta4/projects/shop-app/instances'],
    ['POST', 'https://sqladmin.googleapis.com/v1/projects/shop-app/instances', { name: 'mine', databaseVersion: 'POSTGRES_18' }],
    ['GET', `${buckets}?project=shop-app`],
    ['POST', `${buckets}?project=shop-app`, { name: 'thief-bytes' }],
    ['GET', `${buckets}/shop-bytes`],
    ['GET', `${buckets}/shop-bytes/o`],
    ['GET', `${buckets}/shop-bytes/iam`],
    ['PUT', `${buckets}/shop-bytes/iam`, { bindings: [{ role: 'roles/storage.admin', members: [`serviceAccount:${thief}`] }] }],
    ['POST', 'https://storage.googleapis.com/upload/storage/v1/b/shop-bytes/o?uploadType=media&name=mine', {}],
    ['DELETE', `${buckets}/shop-bytes`],
    ['GET', 'https://iam.googleapis.com/v1/projects/shop-app/serviceAccounts'],
    ['POST', `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${account}/keys`, {}],
    ['POST', `https://iam.googleapis.com/v1/projects/thief-app/serviceAccounts/${account}/keys`, {}],
    ['POST', `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${account.replace('iam', 'IAM')}/keys`, {}],
    ['POST', 'https://iam.googleapis.com/v1/projects/-/serviceAccounts/UNIQUE/keys', {}],
    ['GET', 'https://iam.googleapis.com/v1/projects/-/serviceAccounts/UNIQUE'],
    ['POST', 'https://iam.googleapis.com/v1/projects/-/serviceAccounts/UNIQUE:setIamPolicy', { policy: { bindings: [] } }],
    ['DELETE', 'https://iam.googleapis.com/v1/projects/-/serviceAccounts/UNIQUE'],
    ['POST', `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateAccessToken`, { scope: ['a'] }],
    ['POST', `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/UNIQUE:generateAccessToken`, { scope: ['a'] }],
    ['POST', `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateIdToken`, { audience: 'a' }],
    ['POST', `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:signBlob`, { payload: 'AAAA' }],
    ['POST', 'https://cloudresourcemanager.googleapis.com/v1/projects/shop-app:setIamPolicy', { policy: { bindings: [] } }],
    ['POST', 'https://cloudresourcemanager.googleapis.com/v1/projects/NUMBER:setIamPolicy', { policy: { bindings: [] } }],
    ['POST', 'https://cloudresourcemanager.googleapis.com/v3/projects/shop-app:getIamPolicy', {}],
    ['GET', 'https://cloudresourcemanager.googleapis.com/v1/projects/shop-app'],
    ['GET', 'https://cloudresourcemanager.googleapis.com/v3/projects/shop-app'],
    ['POST', 'https://serviceusage.googleapis.com/v1/projects/shop-app/services/run.googleapis.com:enable', {}],
  ] as const
).map(([method, url, body]) => [method, url, body])

test.each(calls)(
  "an identity of another project may not %s %s, its own project's may ask, and without a token nobody",
  async (method, url, body) => {
    const at = await filled(url)
    expect(await status(method, at, body, thief)).toBe(403)
    expect(await status(method, at, body, undefined)).toBe(401)
    if (method === 'GET' && !url.includes('brand-new')) expect(await status(method, at, body, owner)).toBe(200)
  },
)

test.each(['you@devcloud.local', account, account.replace('iam', 'IAM'), account.toUpperCase(), 'UNIQUE', 'somebody@example.com'])(
  'a service account lets no service, job or worker pool run as %s',
  async (told) => {
    const as = await filled(told)
    const parent = 'https://run.googleapis.com/v2/projects/thief-app/locations/us-central1'
    const pod = { serviceAccountName: as, containers: [{ image: 'a' }] }
    const knative = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'mine' }, spec: { template: { spec: pod } } }
    const v1 = 'https://us-central1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/thief-app/services'
    const template = { ...service.template, serviceAccount: as }
    expect(await status('POST', `${parent}/services?serviceId=mine`, { template }, thief)).toBe(403)
    expect(await status('POST', `${parent}/workerPools?workerPoolId=mine`, { template }, thief)).toBe(403)
    expect(await status('POST', `${parent}/jobs?jobId=mine`, { template: { template } }, thief)).toBe(403)
    expect(await status('POST', v1, knative, thief)).toBe(403)
  },
)

test.each([
  ['GET', 'sqladmin.googleapis.com', '/sql/v1beta4/projects/shop-app/instances/main#alt=%3F'],
  ['PATCH', 'sqladmin.googleapis.com', '/sql/v1beta4/projects/shop-app/instances/main#alt=%3F'],
  ['DELETE', 'us-central1-run.googleapis.com', '/apis/serving.knative.dev/v1/namespaces/shop-app/services/web#alt=%3F'],
])('a target whose path ends at a # for one reader alone is refused: %s %s%s', async (method, host, target) => {
  expect(await statusOf(method, host, target, undefined, thief)).toBe(400)
})

test('a question mark within a part of the path hides no project', async () => {
  const target = '/sql/v1beta4/projects/shop-app/instances/main/users/a%3Fb'
  expect(await statusOf('GET', 'sqladmin.googleapis.com', target, undefined, thief)).toBe(403)
})

test('the same holds over gRPC', async () => {
  const transport = createGrpcTransport({ baseUrl: `http://localhost:${daemon.house.gateway.port}` })
  const client = createClient(SecretManagerService, transport)
  const headers = { authorization: `Bearer ${daemon.house.foundation.tokens.accessToken(thief).token}` }
  const name = 'projects/shop-app/secrets/key'
  const denied = { rawMessage: expect.stringContaining('denied on resource') as string }
  await expect(client.accessSecretVersion({ name: `${name}/versions/1` }, { headers })).rejects.toMatchObject(denied)
  await expect(client.updateSecret({ secret: { name }, updateMask: { paths: ['labels'] } }, { headers })).rejects.toMatchObject(denied)
  const payload = create(SecretPayloadSchema, { data: Buffer.from('x') })
  await expect(client.addSecretVersion({ parent: name, payload }, { headers })).rejects.toMatchObject(denied)
})

test('a policy of the other project lets in whom it names, for what its role says', async () => {
  const { api } = daemon.house
  const member = `serviceAccount:${thief}`
  const bind = (url: string, role: string) => api.call('POST', url, { policy: { bindings: [{ role, members: [member] }] } })
  await bind(`${secrets}/key:setIamPolicy`, 'roles/secretmanager.secretAccessor')
  expect(await status('GET', `${secrets}/key/versions/latest:access`, undefined, thief)).toBe(200)
  expect(await status('DELETE', `${secrets}/key`, undefined, thief)).toBe(403)
  expect(await status('GET', secrets, undefined, thief)).toBe(403)

  const projectPolicy = 'https://cloudresourcemanager.googleapis.com/v1/projects/shop-app:setIamPolicy'
  await bind(projectPolicy, 'roles/viewer')
  expect(await status('GET', secrets, undefined, thief)).toBe(200)
  expect(await status('POST', `${secrets}?secretId=mine`, { replication: { automatic: {} } }, thief)).toBe(403)
  await bind(`${secrets}/key:setIamPolicy`, 'roles/secretmanager.viewer')
  expect(await status('GET', `${secrets}/key/versions/latest:access`, undefined, thief)).toBe(403)

  await api.call('PUT', `${buckets}/shop-bytes/iam`, { bindings: [{ role: 'roles/storage.objectViewer', members: [member] }] })
  expect(await status('GET', `${buckets}/shop-bytes/o`, undefined, thief)).toBe(200)
  expect(await status('DELETE', `${buckets}/shop-bytes`, undefined, thief)).toBe(403)

  await bind(
    `https://iam.googleapis.com/v1/projects/shop-app/serviceAccounts/${account}:setIamPolicy`,
    'roles/iam.serviceAccountTokenCreator',
  )
  const credentials = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}`
  expect(await status('POST', `${credentials}:generateAccessToken`, { scope: ['a'] }, thief)).toBe(200)
})

test('a bucket is open neither by a binding with a condition, nor by one of somebody else', async () => {
  const { api } = daemon.house
  const member = `serviceAccount:${thief}`
  const condition = { title: 'never', expression: 'false' }
  await api.call('POST', 'https://cloudresourcemanager.googleapis.com/v1/projects/shut-app:setIamPolicy', {
    policy: {
      version: 3,
      bindings: [
        { role: 'roles/storage.admin', members: [`serviceAccount:${owner}`] },
        { role: 'roles/storage.admin', members: [member], condition },
      ],
    },
  })
  await api.call('POST', `${buckets}?project=shut-app`, { name: 'shut-bytes' })
  await api.call('PUT', `${buckets}/shut-bytes/iam`, {
    version: 3,
    bindings: [
      { role: 'roles/storage.objectCreator', members: [member] },
      { role: 'roles/storage.objectViewer', members: [member], condition },
    ],
  })
  expect(await status('GET', `${buckets}/shut-bytes/o`, undefined, thief)).toBe(403)
  expect(await status('GET', `${buckets}?project=shut-app`, undefined, thief)).toBe(403)
  expect(await status('POST', `${buckets}?project=shut-app`, { name: 'thief-bytes' }, thief)).toBe(403)
  expect(await status('POST', `${buckets}?project=shut-app`, { name: 'owner-bytes' }, owner)).toBe(200)
})

test('who may create objects alone replaces none by a copy or a composition', async () => {
  const { api } = daemon.house
  await api.call('POST', `${buckets}?project=thief-app`, { name: 'thief-own' })
  await api.call('POST', `${buckets}?project=shop-app`, { name: 'shop-drop' })
  const member = `serviceAccount:${thief}`
  await api.call('PUT', `${buckets}/shop-drop/iam`, {
    bindings: ['objectCreator', 'objectViewer'].map((role) => ({ role: `roles/storage.${role}`, members: [member] })),
  })
  const upload = 'https://storage.googleapis.com/upload/storage/v1/b'
  expect(await status('POST', `${upload}/thief-own/o?uploadType=media&name=mine`, {}, thief)).toBe(200)
  const copy = `${buckets}/thief-own/o/mine/copyTo/b/shop-drop/o/theirs`
  expect(await status('POST', copy, {}, thief)).toBe(200)
  expect(await status('POST', copy, {}, thief)).toBe(403)
  expect(await status('POST', copy.replace('copyTo', 'rewriteTo'), {}, thief)).toBe(403)
  expect(await status('POST', `${buckets}/shop-drop/o/theirs/compose`, { sourceObjects: [{ name: 'theirs' }] }, thief)).toBe(403)
})

test("a container's service is started neither with another project's secret nor with its database", async () => {
  const { catalog } = daemon.house
  expect(() => catalog.borders.check({ email: thief }, 'projects/shop-app/instances/main', 'connect')).toThrow('denied on resource')
  expect(catalog.borders.allows({ email: owner }, 'projects/shop-app/instances/main', 'connect')).toBe(true)
})

async function filled(url: string): Promise<string> {
  const { api, foundation } = daemon.house
  const found = await api.call('GET', `https://iam.googleapis.com/v1/projects/shop-app/serviceAccounts/${account}`)
  return url.replace('NUMBER', foundation.projects.get('shop-app').number).replace('UNIQUE', String(found['uniqueId']))
}

/** Asks one of Google's names at the gateway's port, where only a token gives a name. */
async function status(method: string, url: string, body: object | undefined, email: string | undefined): Promise<number> {
  const { host, pathname, search } = new URL(url)
  return statusOf(method, host, pathname + search, body, email)
}

async function statusOf(method: string, host: string, path: string, body: object | undefined, email: string | undefined): Promise<number> {
  const { house } = daemon
  const token = email === undefined ? undefined : house.foundation.tokens.accessToken(email).token
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const headers = {
      host,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const sent = request({ host: '127.0.0.1', port: house.gateway.port, method, path, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.once('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
