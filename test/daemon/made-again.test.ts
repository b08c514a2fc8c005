import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cleanProject } from '../../src/daemon/clean.ts'
import { openDaemon } from '../../src/daemon/daemon.ts'
import type { Json } from '../../src/api/google-api.ts'

const project = 'made-again'
const location = `projects/${project}/locations/us-central1`
const run = 'https://run.googleapis.com/v2'
const container = { image: 'nobody/has-this-image:1' }
const account = `app-account@${project}.iam.gserviceaccount.com`

/** How each resource that has a policy is made. `create` is a POST; the resource is deleted at `name`. */
const kinds: Readonly<Record<string, { readonly create: string; readonly body: Json; readonly name: string }>> = {
  'google.cloud.run.v2.Services': {
    create: `${run}/${location}/services?serviceId=web`,
    body: { template: { containers: [container] } },
    name: `${run}/${location}/services/web`,
  },
  'google.cloud.run.v2.Jobs': {
    create: `${run}/${location}/jobs?jobId=task`,
    body: { template: { template: { containers: [container] } } },
    name: `${run}/${location}/jobs/task`,
  },
  'google.cloud.run.v2.WorkerPools': {
    create: `${run}/${location}/workerPools?workerPoolId=pool`,
    body: { template: { containers: [container] }, scaling: { manualInstanceCount: 0 } },
    name: `${run}/${location}/workerPools/pool`,
  },
  'google.cloud.secretmanager.v1.SecretManagerService': {
    create: `https://secretmanager.googleapis.com/v1/projects/${project}/secrets?secretId=password`,
    body: { replication: { automatic: {} } },
    name: `https://secretmanager.googleapis.com/v1/projects/${project}/secrets/password`,
  },
  'google.iam.admin.v1.IAM': {
    create: `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`,
    body: { accountId: 'app-account' },
    name: `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}`,
  },
}
/** Its policy is that of a project, which is not made again. */
const without = ['google.cloud.resourcemanager.v3.Projects']

test('an account that is made again is let in by no policy that named the one before: of a secret, a service or a bucket of another project', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-again-'))
  await using opened = new AsyncDisposableStack()
  opened.defer(() => rmSync(stateDirectory, { recursive: true, force: true }))
  const { house } = opened.use(await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} }))
  const { api } = house
  const accounts = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`
  const secret = 'https://secretmanager.googleapis.com/v1/projects/other-project/secrets'
  const bucket = 'https://storage.googleapis.com/storage/v1/b/other-project-bytes'
  const bindings = (role: string) => [{ role, members: [`serviceAccount:${account}`] }]
  await api.call('POST', `${secret}?secretId=s`, { replication: { automatic: {} } })
  await api.call('POST', 'https://storage.googleapis.com/storage/v1/b?project=other-project', { name: 'other-project-bytes' })
  for (const how of ['deletion', 'cleaning'] as const) {
    const { uniqueId } = await api.call('POST', accounts, { accountId: 'app-account' })
    await api.call('POST', `${secret}/s:setIamPolicy`, { policy: { bindings: bindings('roles/secretmanager.secretAccessor') } })
    await api.call('PUT', `${bucket}/iam`, { bindings: bindings('roles/storage.objectViewer') })
    if (how === 'deletion') await api.call('DELETE', `${accounts}/${account}`)
    else await cleanProject(house, project, () => {})
    const gone = [{ members: [`deleted:serviceAccount:${account}?uid=${String(uniqueId)}`] }]
    expect(await api.call('GET', `${secret}/s:getIamPolicy`), how).toMatchObject({ bindings: gone })
    expect(await api.call('GET', `${bucket}/iam`), how).toMatchObject({ bindings: gone })
  }
})

test('every resource that has a policy takes it along: made again under its name, it has no member of the one before', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-again-'))
  await using opened = new AsyncDisposableStack()
  opened.defer(() => rmSync(stateDirectory, { recursive: true, force: true }))
  const { house } = opened.use(await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} }))
  opened.defer(() => cleanProject(house, project, () => {})) // an engine made a network for its service
  const served = house.catalog.all.flatMap(({ services }) => services)
  const withPolicies = served.filter(({ implementation }) => 'setIamPolicy' in implementation).map(({ descriptor }) => descriptor.typeName)
  expect(withPolicies.toSorted()).toEqual([...Object.keys(kinds), ...without].toSorted())

  const policy = { bindings: [{ role: 'roles/editor', members: ['user:a@example.com'] }] }
  const { api } = house
  const settled = async (answer: Json) => {
    if (String(answer['name']).includes('/operations/')) await api.call('POST', `${run}/${String(answer['name'])}:wait`, { timeout: '30s' })
  }
  for (const [kind, { create, body, name }] of Object.entries(kinds)) {
    const verb = kind === 'google.iam.admin.v1.IAM' ? 'POST' : 'GET'
    await settled(await api.call('POST', create, body))
    await api.call('POST', `${name}:setIamPolicy`, { policy })
    expect(await api.call(verb, `${name}:getIamPolicy`), kind).toMatchObject(policy)
    await settled(await api.call('DELETE', name))
    await settled(await api.call('POST', create, body))
    expect((await api.call(verb, `${name}:getIamPolicy`))['bindings'], kind).toBeUndefined()
    await settled(await api.call('DELETE', name))
  }
  const left = house.foundation.state.db.prepare(`SELECT name FROM resources WHERE kind = 'iam.policy'`).all()
  expect(left).toEqual([])
})
