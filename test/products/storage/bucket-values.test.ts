import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenStorage, type GivenStorage } from './given-storage.ts'

let given: GivenStorage
let count = 0
let nowMs = Date.parse('2026-01-01T00:00:00Z')

beforeAll(async () => {
  given = await givenStorage({ clock: { nowMs: () => nowMs, ticksMs: () => 0 } })
})
afterAll(async () => given[Symbol.asyncDispose]())

const ask = async (verb: string, path: string, body?: unknown) => {
  const answer = await given.send(verb, `/storage/v1/${path}`, body === undefined ? {} : { body: JSON.stringify(body) })
  return { status: answer.status, body: (answer.text === '' ? {} : answer.json()) as Record<string, never>, text: answer.text }
}
const make = (fields: object, query = '') => ask('POST', `b?project=demo${query}`, { name: `values-${(count += 1)}`, ...fields })
const made = async (fields: object, query = ''): Promise<string> => {
  const answer = await make(fields, query)
  expect([answer.status, answer.text]).toEqual([200, expect.anything()])
  return `b/${String(answer.body['name'])}`
}

test('settings that Google rejects are 400, on insert and patch', async () => {
  const rule = (action: object, condition: object) => ({ lifecycle: { rule: [{ action, condition }] } })
  const wrong: object[] = [
    { location: 'MARS' }, { location: 'us-central1-a' }, { location: '' }, { location: 5 }, { storageClass: 'HOT' },
    { labels: { Upper: 'x' } }, { labels: { a: 'B' } }, { labels: { '': 'x' } }, { labels: { a: 5 } }, { labels: { ['a'.repeat(64)]: 'x' } },
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`l${at}`, 'x'])) },
    rule({ type: 'Explode' }, { age: 1 }), rule({ type: 'SetStorageClass' }, { age: 1 }), rule({ type: 'SetStorageClass', storageClass: 'HOT' }, { age: 1 }),
    rule({ type: 'Delete' }, {}), rule({ type: 'Delete' }, { age: -1 }), rule({ type: 'Delete' }, { age: 'soon' }), rule({ type: 'Delete' }, { age: 1.5 }),
    rule({ type: 'Delete' }, { olderThan: 5 }), rule({ type: 'Delete' }, { createdBefore: '2026-13-01' }), rule({ type: 'Delete' }, { matchesStorageClass: ['HOT'] }),
    rule({ type: 'AbortIncompleteMultipartUpload' }, { isLive: true }), { lifecycle: { rule: [{ condition: { age: 1 } }] } },
    { lifecycle: { rule: Array.from({ length: 101 }, () => ({ action: { type: 'Delete' }, condition: { age: 1 } })) } },
    { cors: [{ method: ['G E T'] }] }, { cors: [{ maxAgeSeconds: -1 }] }, { cors: {} }, { versioning: { enabled: 'yes' } },
    { retentionPolicy: { retentionPeriod: 0 } }, { retentionPolicy: { retentionPeriod: '3155760001' } }, { retentionPolicy: { retentionPeriod: 'long' } },
    { softDeletePolicy: { retentionDurationSeconds: 60 } }, { softDeletePolicy: { retentionDurationSeconds: 91 * 86_400 } },
    { iamConfiguration: { publicAccessPrevention: 'maybe' } }, { autoclass: { enabled: true, terminalStorageClass: 'COLDLINE' } },
    { autoclass: { enabled: true }, storageClass: 'NEARLINE' }, { rpo: 'FAST' }, { rpo: 'ASYNC_TURBO', location: 'US' },
    { storageClass: 'MULTI_REGIONAL', location: 'US-EAST1' }, { storageClass: 'REGIONAL', location: 'EU' },
    { customPlacementConfig: { dataLocations: ['US-EAST1'] } }, { customPlacementConfig: { dataLocations: ['US-EAST1', 'MARS'] } },
    { encryption: { defaultKmsKeyName: 'my-key' } }, { billing: { requesterPays: 'yes' } }, { website: { mainPageSuffix: 5 } }, { logging: { logBucket: 5 } },
    { acl: [{ entity: 'somebody', role: 'READER' }] }, { acl: [{ entity: 'allUsers', role: 'GOD' }] }, { defaultObjectAcl: 'public' },
    { hierarchicalNamespace: { enabled: true } }, { ipFilter: { mode: 'Enabled' } },
  ] // prettier-ignore
  const patched = await made({})
  for (const fields of wrong) {
    expect([fields, (await make(fields)).status]).toEqual([fields, 400])
    if (!('location' in fields)) expect([fields, (await ask('PATCH', patched, fields)).status]).toEqual([fields, 400])
  }
  expect((await ask('GET', patched)).body['metageneration']).toBe('1')
  for (const query of [
    '&predefinedAcl=everyone',
    '&predefinedAcl=bucketOwnerRead',
    '&predefinedDefaultObjectAcl=publicReadWrite',
    '&projection=all',
  ])
    expect([query, (await make({}, query)).status]).toEqual([query, 400])
})

test('settings that Google takes are kept as they came, an empty one is taken away', async () => {
  const fields = {
    labels: { 'größe-1': 'ok_2' },
    lifecycle: { rule: [{ action: { type: 'SetStorageClass', storageClass: 'NEARLINE' }, condition: { age: 30, matchesPrefix: ['a/'] } }] },
    cors: [{ origin: ['*'], method: ['GET'], responseHeader: ['Content-Type'], maxAgeSeconds: 3600 }],
    website: { mainPageSuffix: 'index.html', notFoundPage: '404.html' },
    logging: { logBucket: 'logs-of-mine', logObjectPrefix: 'x' },
  }
  const bucket = await made(fields)
  expect((await ask('GET', bucket)).body).toMatchObject(fields)
  const emptied = await ask('PATCH', bucket, {
    cors: [],
    lifecycle: { rule: [] },
    labels: { 'größe-1': null },
    logging: null,
    website: null,
  })
  for (const key of Object.keys(fields)) expect([key, emptied.body[key]]).toEqual([key, undefined])
})

test('a location has its type, and neither it nor the name can change', async () => {
  const typeOf = async (fields: object) => {
    const { location, locationType, rpo } = (await make(fields)).body
    return [location, locationType, rpo]
  }
  expect(await typeOf({})).toEqual(['US', 'multi-region', 'DEFAULT'])
  expect(await typeOf({ location: 'europe-west10' })).toEqual(['EUROPE-WEST10', 'region', undefined])
  expect(await typeOf({ location: 'nam4', rpo: 'ASYNC_TURBO' })).toEqual(['NAM4', 'dual-region', 'ASYNC_TURBO'])
  const custom = { location: 'EU', customPlacementConfig: { dataLocations: ['europe-west1', 'EUROPE-WEST4'] } }
  expect(await typeOf(custom)).toEqual(['EU', 'dual-region', 'DEFAULT'])
  const bucket = await made({ location: 'US-EAST1' })
  for (const verb of ['PATCH', 'PUT']) {
    expect((await ask(verb, bucket, { location: 'EU' })).status).toBe(400)
    expect((await ask(verb, bucket, { location: null, labels: { a: 'b' } })).status).toBe(verb === 'PUT' ? 200 : 400)
    expect((await ask(verb, bucket, { name: 'another' })).status).toBe(400)
  }
  const whole = (await ask('GET', `${bucket}?projection=full`)).body
  const put = await ask('PUT', bucket, { ...whole, labels: { read: 'modified' } })
  expect([put.status, put.body['location'], put.body['labels']]).toEqual([200, 'US-EAST1', { read: 'modified' }])
})

test('what Google sets of a setting is told: effectiveTime, toggleTime, lockedTime', async () => {
  const first = new Date(nowMs).toISOString()
  const settings = {
    retentionPolicy: { retentionPeriod: 60 },
    autoclass: { enabled: true },
    softDeletePolicy: { retentionDurationSeconds: 604_800 },
    encryption: { googleManagedEncryptionEnforcementConfig: { restrictionMode: 'NotRestricted' } },
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true } },
  }
  const bucket = await made(settings)
  nowMs += 86_400_000
  const day = new Date(nowMs).toISOString()
  const lockedTime = new Date(Date.parse(first) + 90 * 86_400_000).toISOString()
  const changed = await ask('PATCH', bucket, { labels: { a: 'b' }, retentionPolicy: { retentionPeriod: '120' } })
  expect(changed.body).toMatchObject({
    retentionPolicy: { retentionPeriod: '120', effectiveTime: day },
    autoclass: { enabled: true, toggleTime: first, terminalStorageClass: 'NEARLINE', terminalStorageClassUpdateTime: first },
    softDeletePolicy: { retentionDurationSeconds: '604800', effectiveTime: first },
    encryption: { googleManagedEncryptionEnforcementConfig: { restrictionMode: 'NotRestricted', effectiveTime: first } },
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true, lockedTime } },
  })
  const shorter = await ask('PATCH', bucket, { softDeletePolicy: { retentionDurationSeconds: 0 } })
  expect(shorter.body).toMatchObject({ softDeletePolicy: { retentionDurationSeconds: '0', effectiveTime: day } })
  const off = await ask('PATCH', bucket, { autoclass: { enabled: false } })
  expect(off.body).toMatchObject({ autoclass: { enabled: false, toggleTime: day } })
  nowMs += 90 * 86_400_000
  expect((await ask('PATCH', bucket, { iamConfiguration: { uniformBucketLevelAccess: { enabled: false } } })).status).toBe(400)
})

test('while public access is prevented, to make something public is 412; lists under uniform access are 400', async () => {
  const bucket = await made({ iamConfiguration: { publicAccessPrevention: 'enforced' } })
  const name = bucket.slice(2)
  const open = { bindings: [{ role: 'roles/storage.objectViewer', members: ['allAuthenticatedUsers'] }] }
  await given.send('POST', `/upload/storage/v1/${bucket}/o?uploadType=media&name=o`, { body: 'x' })
  const tries = [
    ['PUT', `${bucket}/iam`, open], ['POST', `${bucket}/acl`, { entity: 'allUsers', role: 'READER' }],
    ['PUT', `${bucket}/acl/allUsers`, { role: 'READER' }], ['POST', `${bucket}/defaultObjectAcl`, { entity: 'allUsers', role: 'READER' }],
    ['POST', `${bucket}/o/o/acl`, { entity: 'allUsers', role: 'READER' }], ['PATCH', `${bucket}?predefinedAcl=publicRead`, {}],
    ['PATCH', `${bucket}/o/o?predefinedAcl=publicRead`, {}], ['PATCH', bucket, { defaultObjectAcl: [{ entity: 'allUsers', role: 'READER' }] }],
    ['POST', `${bucket}/o/o/copyTo/${bucket}/o/p?destinationPredefinedAcl=publicRead`, {}],
  ] as const // prettier-ignore
  for (const [verb, path, body] of tries) expect([path, (await ask(verb, path, body)).status]).toEqual([path, 412])
  const upload = await given.send('POST', `/upload/storage/v1/${bucket}/o?uploadType=media&name=p&predefinedAcl=publicRead`, { body: 'x' })
  expect(upload.status).toBe(412)
  expect((await ask('PATCH', bucket, { iamConfiguration: { publicAccessPrevention: 'inherited' } })).status).toBe(200)
  expect((await ask('PUT', `${bucket}/iam`, open)).status).toBe(200)
  const uniform = { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } }
  for (const query of ['&predefinedAcl=private', '&predefinedDefaultObjectAcl=private'])
    expect((await make(uniform, query)).status).toBe(400)
  expect(name).toMatch(/^values-/)
})

test('policies: members, roles and versions as IAM takes them; a condition is shown from version 3 on alone', async () => {
  const bucket = await made({})
  const set = (policy: object) => ask('PUT', `${bucket}/iam`, policy)
  const one = (member: string, role = 'roles/storage.objectViewer') => ({ bindings: [{ role, members: [member] }] })
  for (const member of ['bob', 'user:bob', 'allusers', 'projectKing:demo', 'user:a@b@c', ''])
    expect([member, (await set(one(member))).status]).toEqual([member, 400])
  for (const role of ['viewer', 'roles/', '']) expect([role, (await set(one('allUsers', role))).status]).toEqual([role, 400])
  for (const version of [2, 4, -1]) expect([version, (await set({ ...one('allUsers'), version })).status]).toEqual([version, 400])
  const condition = { title: 'a', expression: 'resource.name.startsWith("x")' }
  const conditional = { bindings: [{ role: 'roles/storage.objectViewer', members: ['user:a@b.com'], condition }] }
  expect((await set(conditional)).status).toBe(400)
  const kept = await set({ ...conditional, version: 3 })
  expect(kept.body).toMatchObject({ version: 3, bindings: [{ condition }] })
  expect(JSON.stringify((await ask('GET', `${bucket}/iam`)).body)).toMatch(/_withcond_/)
  expect((await ask('GET', `${bucket}/iam?optionsRequestedPolicyVersion=3`)).body).toMatchObject(conditional)
  expect((await ask('GET', `${bucket}/iam?optionsRequestedPolicyVersion=2`)).status).toBe(400)
  expect((await set({ ...one('projectViewer:demo', 'roles/storage.legacyBucketReader'), version: 3 })).status).toBe(200)
  for (const query of ['', '?permissions=storage.*', '?permissions=everything'])
    expect([query, (await ask('GET', `${bucket}/iam/testPermissions${query}`)).status]).toEqual([query, 400])
})

test('an update of an entry that is absent makes it, a patch does not; lists have at most 100 entries', async () => {
  const bucket = await made({})
  await given.send('POST', `/upload/storage/v1/${bucket}/o?uploadType=media&name=o`, { body: 'x' })
  for (const list of [`${bucket}/acl`, `${bucket}/defaultObjectAcl`, `${bucket}/o/o/acl`]) {
    expect((await ask('PATCH', `${list}/user-a%40b.com`, { role: 'READER' })).status).toBe(404)
    expect((await ask('PUT', `${list}/user-a%40b.com`, { role: 'READER' })).body).toMatchObject({ entity: 'user-a@b.com', role: 'READER' })
    expect((await ask('PUT', `${list}/user-a%40b.com`, { role: 'OWNER' })).body).toMatchObject({ role: 'OWNER' })
    expect((await ask('PUT', `${list}/nobody`, { role: 'OWNER' })).status).toBe(400)
    expect((await ask('PUT', `${list}/allUsers`, {})).status).toBe(400)
  }
  expect((await ask('PUT', `${bucket}/o/o/acl/allUsers`, { role: 'WRITER' })).status).toBe(400)
  const acl = Array.from({ length: 101 }, (_, at) => ({ entity: `user-${at}@b.com`, role: 'READER' }))
  expect((await ask('PATCH', bucket, { acl })).status).toBe(400)
  expect((await ask('PATCH', bucket, { acl: acl.slice(1) })).status).toBe(200)
  expect((await ask('POST', `${bucket}/acl`, { entity: 'allUsers', role: 'READER' })).status).toBe(400)
})
