import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenCloud, type GivenCloud } from './given-cloud.ts'

let given: GivenCloud
beforeAll(async () => {
  given = await givenCloud()
  await given.send('POST', '/storage/v1/b?project=demo-project', { body: '{"name":"empty"}' })
})
afterAll(() => given[Symbol.asyncDispose]())

const sql = '/sql/v1beta4/projects/demo-project'

test.each([
  ['/storage/v1/b/empty/notificationConfigs', { kind: 'storage#notifications' }],
  ['/storage/v1/b/empty/managedFolders', { kind: 'storage#managedFolders' }],
  ['/storage/v1/projects/demo-project/hmacKeys', { kind: 'storage#hmacKeysMetadata' }],
  [`${sql}/instances`, { kind: 'sql#instancesList' }],
  [`${sql}/instances/-/backupRuns`, { kind: 'sql#backupRunsList' }],
  [`${sql}/backups`, {}],
  [`${sql}/operations`, { kind: 'sql#operationsList' }],
  ['/v2/projects/demo-project/locations/us-central1/services', {}],
  ['/v2/projects/demo-project/locations/us-central1/jobs', {}],
  ['/v2/projects/demo-project/locations/us-central1/workerPools', {}],
  ['/v2/projects/demo-project/locations/us-central1/operations', {}],
  ['/apis/domains.cloudrun.com/v1/namespaces/demo-project/domainmappings', { kind: 'DomainMappingList', items: [] }],
  ['/v1/projects/demo-project/secrets', {}],
  ['/v1/projects/demo-project/roles', {}],
])('%s of a project that has none is an empty list', async (target, list) => {
  const { status, text } = await given.send('GET', target)
  expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining(list)])
  for (const value of Object.values(JSON.parse(text) as object)) if (Array.isArray(value)) expect(value).toEqual([])
})

test('what cannot be made is refused for good, with the status that says so and the words of its name', async () => {
  for (const [method, target, named] of [
    ['POST', '/storage/v1/b/empty/notificationConfigs', 'notificationConfigs'],
    ['POST', '/storage/v1/projects/demo-project/hmacKeys', 'hmacKeys'],
    ['POST', `${sql}/instances/a/backupRuns`, 'sql.backupRuns.insert'],
    ['POST', `${sql}/instances/a/sslCerts`, 'sql.sslCerts.insert'],
    ['POST', '/apis/domains.cloudrun.com/v1/namespaces/demo-project/domainmappings', 'domainmappings'],
    ['POST', '/v1/projects/demo-project/roles', 'CreateRole'],
    ['GET', '/compute/v1/projects/demo-project/zones', '/compute/v1/projects/demo-project/zones'],
  ] as const) {
    const { status, text } = await given.send(method, target, {
      headers: { 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    })
    const { error } = JSON.parse(text) as { readonly error: { readonly status?: string; readonly message: string } }
    expect([target, status, error.status, error.message]).toEqual([target, 400, 'UNIMPLEMENTED', expect.stringContaining(named)])
  }
})
