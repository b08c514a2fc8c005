import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenStorage, type GivenStorage } from './given-storage.ts'

let given: GivenStorage
let nowMs = Date.parse('2026-01-01T00:00:00Z')

beforeAll(async () => {
  given = await givenStorage({ clock: { nowMs: () => nowMs, ticksMs: () => 0 } })
})
afterAll(async () => given[Symbol.asyncDispose]())

const change = async (verb: string, name: string, body: unknown) => {
  const answer = await given.send(verb, `/storage/v1/b/bucket/o/${name}`, { body: JSON.stringify(body) })
  return { status: answer.status, body: answer.json() as Record<string, never> }
}
const upload = async (resource: object, query = '') =>
  given.send('POST', `/upload/storage/v1/b/bucket/o?uploadType=multipart${query}`, {
    headers: { 'content-type': 'multipart/related; boundary=b' },
    body: `--b\r\n\r\n${JSON.stringify(resource)}\r\n--b\r\n\r\nx\r\n--b--`,
  })

test('fields that Google rejects are 400, in uploads, patches and updates, and nothing is made', async () => {
  await upload({ name: 'o' })
  const wrong: object[] = [
    { storageClass: 'HOT' }, { customTime: 'yesterday' }, { customTime: '2026-02-30T00:00:00Z' }, { contentType: 5 }, { temporaryHold: 'yes' },
    { metadata: { a: 5 } }, { metadata: { a: {} } }, { metadata: [] }, { metadata: { a: 'x'.repeat(8192) } }, { kmsKeyName: 'k' },
    { acl: [{ entity: 'allUsers', role: 'WRITER' }] }, { acl: [{ entity: 'nobody', role: 'READER' }] }, { contentDisposition: 'x'.repeat(8193) },
    { contexts: { custom: { a: 'b' } } }, { contexts: { custom: { a: { value: 'x'.repeat(257) } } } }, { contexts: { custom: { '/a': { value: 'b' } } } },
    { contexts: { custom: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, { value: 'v' }])) } },
    { retention: { mode: 'Locked', retainUntilTime: '2030-01-01T00:00:00Z' } },
  ] // prettier-ignore
  for (const fields of wrong) {
    expect([fields, (await upload({ name: 'new', ...fields })).status]).toEqual([fields, 400])
    for (const verb of ['PATCH', 'PUT']) expect([fields, (await change(verb, 'o', fields)).status]).toEqual([fields, 400])
  }
  expect((await upload({ name: 'new' }, '&predefinedAcl=publicReadWrite')).status).toBe(400)
  expect((await given.send('GET', '/storage/v1/b/bucket/o?prefix=new')).json()).toEqual({ kind: 'storage#objects' })
  expect((await change('PATCH', 'o', { metadata: { a: 'x'.repeat(8191) } })).status).toBe(200)
  expect((await change('PATCH', 'o', { metadata: { b: 'y' } })).status).toBe(400)
})

test('a custom time goes forward, and never back or away; a rewrite begins anew', async () => {
  await upload({ name: 't', customTime: '2026-01-02T00:00:00Z' })
  expect((await change('PATCH', 't', { customTime: '2026-01-01T00:00:00Z' })).status).toBe(400)
  expect((await change('PATCH', 't', { customTime: null })).status).toBe(400)
  expect((await change('PUT', 't', { contentType: 'x/y' })).status).toBe(400)
  expect((await change('PATCH', 't', { customTime: '2026-01-02T02:00:00+01:00' })).status).toBe(200)
  expect((await change('POST', 't/rewriteTo/b/bucket/o/t', { contentType: 'x/y' })).body['resource']).not.toHaveProperty('customTime')
})

test('contexts have times, which change with their values; a class has the time of its change', async () => {
  const first = new Date(nowMs).toISOString()
  await upload({ name: 'c', contexts: { custom: { a: { value: '1' }, b: { value: '1' } } } })
  nowMs += 60_000
  const later = new Date(nowMs).toISOString()
  const { body } = await change('PATCH', 'c', { contexts: { custom: { a: { value: '2' }, c: { value: '1' } } }, storageClass: 'nearline' })
  expect(body['contexts']).toEqual({
    custom: {
      a: { value: '2', createTime: first, updateTime: later },
      b: { value: '1', createTime: first, updateTime: first },
      c: { value: '1', createTime: later, updateTime: later },
    },
  })
  expect(body).toMatchObject({ storageClass: 'NEARLINE', timeStorageClassUpdated: later, timeCreated: first, timeFinalized: first })
  const gone = await change('PATCH', 'c', { contexts: { custom: { a: null, b: null, c: null } } })
  expect(gone.body).not.toHaveProperty('contexts')
})

test('a copy has neither hold nor class of its source', async () => {
  await upload({ name: 'h', temporaryHold: true, storageClass: 'COLDLINE', metadata: { a: 'b' } })
  const { body } = await change('POST', 'h/copyTo/b/bucket/o/copy', {})
  expect([body['temporaryHold'], body['storageClass'], body['metadata']]).toEqual([undefined, 'STANDARD', { a: 'b' }])
})
