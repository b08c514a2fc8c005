import { expect, test } from 'vitest'
import { crc32c } from '../../../src/base/crc32c.ts'
import { givenSecret, givenSecrets } from './given-secrets.ts'

const status = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, ALREADY_EXISTS: 6, FAILED_PRECONDITION: 9, ABORTED: 10, UNIMPLEMENTED: 12 }

test('versions/latest gives the payload that was added last', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 'db-password', ['old', 'new'])
  const [version] = await cloud.client.accessSecretVersion({ name: `${name}/versions/latest` })
  expect(version.payload?.data?.toString()).toBe('new')
  expect(version.name).toBe('projects/123456789012/secrets/db-password/versions/2')
})

test('sql trap 1: a secret is the same by project id and by number', async () => {
  await using cloud = await givenSecrets()
  await givenSecret(cloud.client, 's')
  const [byId] = await cloud.client.getSecret({ name: 'projects/demo/secrets/s' })
  const [byNumber] = await cloud.client.getSecret({ name: 'projects/123456789012/secrets/s' })
  expect(byId).toEqual(byNumber)
})

test('sql trap 2: latest after disabling the newest is FAILED_PRECONDITION in the words of Google', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's', ['a', 'b'])
  await cloud.client.disableSecretVersion({ name: `${name}/versions/2` })
  const refused = cloud.client.accessSecretVersion({ name: `${name}/versions/latest` })
  await expect(refused).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'Secret Version [projects/123456789012/secrets/s/versions/2] is in DISABLED state.',
  })
})

test('sql trap 3: a wrong dataCrc32c is refused and nothing is added', async () => {
  await using cloud = await givenSecrets()
  const parent = await givenSecret(cloud.client, 's')
  const refused = cloud.client.addSecretVersion({ parent, payload: { data: Buffer.from('x'), dataCrc32c: 1 } })
  await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  const [versions] = await cloud.client.listSecretVersions({ parent })
  expect(versions).toEqual([])
})

test('sql trap 4: access returns the checksum of the stored bytes', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's', ['\n'])
  const [version] = await cloud.client.accessSecretVersion({ name: `${name}/versions/1` })
  expect(Number(version.payload?.dataCrc32c)).toBe(crc32c(Buffer.from('\n')))
  const [added] = await cloud.client.addSecretVersion({
    parent: name,
    payload: { data: Buffer.from('\n'), dataCrc32c: version.payload?.dataCrc32c ?? 0 },
  })
  expect(added.clientSpecifiedPayloadChecksum).toBe(true)
})

test('sql trap 5: a secret without a kind of replication is refused', async () => {
  await using cloud = await givenSecrets()
  for (const secret of [{}, { replication: {} }]) {
    await expect(cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    })
  }
})

test('sql trap 6: a destroyed version cannot be enabled, and its payload is gone', async () => {
  await using cloud = await givenSecrets()
  const name = `${await givenSecret(cloud.client, 's', ['a'])}/versions/1`
  await cloud.client.destroySecretVersion({ name })
  await expect(cloud.client.enableSecretVersion({ name })).rejects.toMatchObject({ code: status.FAILED_PRECONDITION })
  expect(cloud.state.db.prepare('SELECT payload FROM secret_versions').get()?.['payload']).toBeNull()
})

test('sql trap 8: a stale etag of a policy is ABORTED and nothing changes', async () => {
  await using cloud = await givenSecrets()
  const resource = await givenSecret(cloud.client, 's')
  const [policy] = await cloud.client.getIamPolicy({ resource })
  const binding = (member: string) => [{ role: 'roles/secretmanager.secretAccessor', members: [member] }]
  await cloud.client.setIamPolicy({ resource, policy: { ...policy, bindings: binding('user:a@b.c') } })
  await expect(cloud.client.setIamPolicy({ resource, policy: { ...policy, bindings: binding('user:x@y.z') } })).rejects.toMatchObject({
    code: status.ABORTED,
  })
  const [kept] = await cloud.client.getIamPolicy({ resource })
  expect(kept.bindings?.[0]?.members).toEqual(['user:a@b.c'])
})

test('a secret without versions, and one that is not there, are NOT_FOUND', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's')
  await expect(cloud.client.accessSecretVersion({ name: `${name}/versions/latest` })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: `Secret [${name}] not found or has no versions.`,
  })
  await expect(cloud.client.getSecret({ name: 'projects/demo/secrets/other' })).rejects.toMatchObject({ code: status.NOT_FOUND })
})

test('an alias reads the version that it names', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's', ['a', 'b'])
  await cloud.client.updateSecret({ secret: { name, versionAliases: { prod: 1 } }, updateMask: { paths: ['version_aliases'] } })
  const [version] = await cloud.client.accessSecretVersion({ name: `${name}/versions/prod` })
  expect(version.payload?.data?.toString()).toBe('a')
})

test('a stale etag of a secret is refused, and fields that cannot change are named', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's')
  const stale = cloud.client.updateSecret({ secret: { name, etag: '"old"', labels: { a: 'b' } }, updateMask: { paths: ['labels'] } })
  await expect(stale).rejects.toMatchObject({ code: status.FAILED_PRECONDITION })
  const fixed = cloud.client.updateSecret({ secret: { name }, updateMask: { paths: ['replication'] } })
  await expect(fixed).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
})

test('lists go by pages that neither lose nor repeat, and a filter counts only what matches', async () => {
  await using cloud = await givenSecrets()
  for (const id of ['a-1', 'a-2', 'a-3', 'b-1']) await givenSecret(cloud.client, id)
  const [all] = await cloud.client.listSecrets({ parent: 'projects/demo', pageSize: 1 })
  expect(all.map((secret) => secret.name?.split('/').at(-1))).toEqual(['a-1', 'a-2', 'a-3', 'b-1'])
  const [some] = await cloud.client.listSecrets({ parent: 'projects/demo', filter: 'name:a-' })
  expect(some).toHaveLength(3)
  await expect(cloud.client.listSecrets({ parent: 'projects/demo', filter: 'colour:red' })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  })
})

test('what is not emulated answers UNIMPLEMENTED by name', async () => {
  await using cloud = await givenSecrets()
  const response = await fetch(`${cloud.api.url}/v1/projects/demo/secrets/s:rotate`, { method: 'POST' })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { status: 'UNIMPLEMENTED' } })
})

test('REST carries bytes as base64, 64-bit numbers as strings, and the text of gRPC errors', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's', ['hello'])
  const access = await fetch(`${cloud.api.url}/v1/projects/demo/secrets/s/versions/1:access?alt=json&prettyPrint=false&%24.xgafv=1`)
  expect(await access.json()).toEqual({ name: `${name}/versions/1`, payload: { data: 'aGVsbG8=', dataCrc32c: '2591144780' } })
  const missing = await fetch(`${cloud.api.url}/v1/projects/demo/secrets/other`)
  expect(await missing.json()).toEqual({
    error: { code: 404, status: 'NOT_FOUND', message: 'Secret [projects/123456789012/secrets/other] not found.' },
  })
})

test('sql trap 48: a POST without body and content type is taken', async () => {
  await using cloud = await givenSecrets()
  await givenSecret(cloud.client, 's', ['a'])
  const response = await fetch(`${cloud.api.url}/v1/projects/demo/secrets/s/versions/1:disable`, { method: 'POST' })
  expect(await response.json()).toMatchObject({ state: 'DISABLED' })
})

test('an unknown field of a JSON body is named', async () => {
  await using cloud = await givenSecrets()
  const response = await fetch(`${cloud.api.url}/v1/projects/demo/secrets?secretId=s`, {
    method: 'POST',
    body: JSON.stringify({ replicaton: {} }),
  })
  expect(response.status).toBe(400)
  expect(await response.text()).toContain('Unknown name \\"replicaton\\"')
})
