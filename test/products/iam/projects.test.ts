import { expect, test } from 'vitest'
import { givenIam, projectNumber, type GivenIam } from './given-iam.ts'

const manager = 'https://cloudresourcemanager.googleapis.com'
const usage = 'https://serviceusage.googleapis.com/v1/projects/demo'

const readPolicy = (cloud: GivenIam) =>
  cloud.call('POST', `${manager}/v1/projects/demo:getIamPolicy`, { body: { options: { requestedPolicyVersion: 3 } } })
const writePolicy = (cloud: GivenIam, policy: object) =>
  cloud.call('POST', `${manager}/v1/projects/demo:setIamPolicy`, { body: { policy, updateMask: 'bindings,etag,auditConfigs' } })

test('a project is told by id and number, in version 1 and version 3', async () => {
  await using cloud = await givenIam()
  const first = await cloud.call('GET', `${manager}/v1/projects/demo`)
  expect(first.body).toEqual({ projectNumber, projectId: 'demo', lifecycleState: 'ACTIVE', name: 'demo' })
  expect((await cloud.call('GET', `${manager}/v1/projects/${projectNumber}`)).body).toEqual(first.body)
  const third = await cloud.call('GET', `${manager}/v3/projects/demo`)
  expect(third.body).toMatchObject({ name: `projects/${projectNumber}`, projectId: 'demo', state: 'ACTIVE' })
  expect((await cloud.call('GET', `${manager}/v3/projects:search`)).body['projects']).toMatchObject([{ projectId: 'demo' }])
  expect((await cloud.call('GET', `${manager}/v1/projects/demo`, { token: null })).status).toBe(401)
})

test('a fresh project has an owner', async () => {
  await using cloud = await givenIam()
  const { body } = await readPolicy(cloud)
  expect(body['bindings']).toContainEqual({ role: 'roles/owner', members: ['user:you@devcloud.local'] })
})

test('sql traps 7, 8: a policy set without bindings is empty, a stale etag is 409 and changes nothing', async () => {
  await using cloud = await givenIam()
  const { etag } = (await readPolicy(cloud)).body
  const bindings = [{ role: 'roles/viewer', members: ['user:a@b.c'] }]
  const written = await writePolicy(cloud, { etag, bindings })
  expect(written.body).toMatchObject({ bindings })
  expect(await writePolicy(cloud, { etag, bindings: [] })).toMatchObject({ status: 409, body: { error: { status: 'ABORTED' } } })
  expect((await readPolicy(cloud)).body).toMatchObject({ bindings })
  const third = await cloud.call('POST', `${manager}/v3/projects/${projectNumber}:getIamPolicy`, { body: {} })
  expect(third.body).toEqual(written.body)
  await writePolicy(cloud, { etag: written.body['etag'] })
  expect((await readPolicy(cloud)).body['bindings']).toBeUndefined()
})

test('a policy without conditions is of version 1, whatever version gcloud writes it with', async () => {
  await using cloud = await givenIam()
  const bindings = [{ role: 'roles/run.viewer', members: ['user:a@b.c'] }]
  expect((await writePolicy(cloud, { version: 3, bindings })).body).toMatchObject({ version: 1 })
  const condition = { title: 't', expression: 'true' }
  expect((await writePolicy(cloud, { version: 3, bindings: [{ ...bindings[0], condition }] })).body).toMatchObject({ version: 3 })
})

test('what is emulated is enabled from the start, and stays disabled once it was disabled', async () => {
  await using cloud = await givenIam()
  const enabled = async () => {
    const { body } = await cloud.call('GET', `${usage}/services?filter=state:ENABLED&fields=services/name,nextPageToken`)
    return (body['services'] as unknown as readonly { name: string }[]).map(({ name }) => name)
  }
  const run = `projects/${projectNumber}/services/run.googleapis.com`
  expect(await enabled()).toContain(run)
  const disabled = await cloud.call('POST', `${usage}/services/run.googleapis.com:disable`, { body: {} })
  expect(disabled.body).toMatchObject({ done: true, response: { service: { name: run, state: 'DISABLED' } } })
  expect(await enabled()).not.toContain(run)
  const again = await cloud.call('POST', `${usage}/services/run.googleapis.com:enable`)
  expect(again.body).toMatchObject({ name: 'operations/noop.DONE_OPERATION', done: true, response: { service: { state: 'ENABLED' } } })
  expect(await enabled()).toContain(run)
})

test('sql trap 37: batchEnable takes one id, refuses 25 and names what is not emulated', async () => {
  await using cloud = await givenIam()
  const batch = (serviceIds: readonly string[]) => cloud.call('POST', `${usage}/services:batchEnable`, { body: { serviceIds } })
  expect((await batch(['run.googleapis.com'])).body).toMatchObject({ done: true, response: { services: [{ state: 'ENABLED' }] } })
  expect((await batch(Array.from({ length: 25 }, () => 'run.googleapis.com'))).status).toBe(400)
  const refused = await batch(['run.googleapis.com', 'bigquery.googleapis.com'])
  expect([refused.status, refused.body['error']?.['message']]).toEqual([400, 'devcloud does not emulate bigquery.googleapis.com.'])
})

test('sql trap 40: an unknown route of these hosts is refused with its method and path', async () => {
  await using cloud = await givenIam()
  for (const path of ['/v1/projects/demo:getAncestry', '/v1/organizations/1']) {
    const answer = await cloud.call('GET', manager + path)
    expect(answer.status).toBe(400)
    expect(String(answer.body['error']?.['message'])).toContain(`GET cloudresourcemanager.googleapis.com${path}`)
  }
  expect((await cloud.call('GET', 'https://cloudbilling.googleapis.com/v1/projects/demo/billingInfo')).body['billingEnabled']).toBe(false)
})
