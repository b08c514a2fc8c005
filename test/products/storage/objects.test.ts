import { expect, test } from 'vitest'
import { anonymous, givenStorage } from './given-storage.ts'

test('an object that is saved in one request reads back with its metadata', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('notes/größe #1.txt')
  await file.save('hello', {
    resumable: false,
    contentType: 'text/plain',
    metadata: { metadata: { Owner: 'me' }, cacheControl: 'no-store' },
  })
  const [content] = await file.download()
  const [metadata] = await file.getMetadata()
  expect(content.toString()).toBe('hello')
  expect(metadata).toMatchObject({ size: '5', contentType: 'text/plain', cacheControl: 'no-store', metadata: { Owner: 'me' } })
  expect(metadata.crc32c).toBe('mnG7TA==')
  expect(metadata.timeCreated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('storage trap 10: a delete with a stale ifGenerationMatch is 412 and leaves the object', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('kept')
  await file.save('x', { resumable: false })
  await expect(file.delete({ ifGenerationMatch: 1 })).rejects.toMatchObject({ code: 412 })
  expect(await file.exists()).toEqual([true])
  await file.delete()
  await expect(file.delete()).rejects.toMatchObject({ code: 404, message: expect.stringContaining('No such object: bucket/kept') })
})

test('storage trap 11: a failed condition is 412 conditionNotMet to a change, and 304 without a body to a read', async () => {
  await using cloud = await givenStorage()
  const [{ generation }] = await cloud.bucket
    .file('o')
    .save('x', { resumable: false })
    .then(() => cloud.bucket.file('o').getMetadata())
  const changed = await cloud.send('PATCH', `/storage/v1/b/bucket/o/o?ifGenerationNotMatch=${generation}`, { body: '{}' })
  expect(changed.status).toBe(412)
  expect(changed.json()).toMatchObject({ error: { code: 412, errors: [{ domain: 'global', reason: 'conditionNotMet' }] } })
  const read = await cloud.send('GET', `/storage/v1/b/bucket/o/o?alt=media&ifGenerationNotMatch=${generation}`)
  expect([read.status, read.text]).toEqual([304, ''])
})

test('storage trap 12: of 64 creations with ifGenerationMatch=0 one succeeds', async () => {
  await using cloud = await givenStorage()
  const target = '/upload/storage/v1/b/bucket/o?uploadType=media&name=once&ifGenerationMatch=0'
  const answers = await Promise.all(Array.from({ length: 64 }, (_, index) => cloud.send('POST', target, { body: `${index}` })))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(63)
})

test('storage trap 19: an unknown bucket and an unknown object are told apart, with an empty body to HEAD', async () => {
  await using cloud = await givenStorage()
  const noBucket = await cloud.send('GET', '/storage/v1/b/nowhere/o/x')
  const noObject = await cloud.send('GET', '/storage/v1/b/bucket/o/x')
  expect(noBucket.json()).toMatchObject({
    error: { code: 404, message: 'The specified bucket does not exist.', errors: [{ reason: 'notFound' }] },
  })
  expect(noObject.json()).toMatchObject({ error: { code: 404, message: 'No such object: bucket/x', errors: [{ reason: 'notFound' }] } })
  expect((await cloud.send('HEAD', '/storage/v1/b/bucket/o/x')).text).toBe('')
})

test('storage trap 25: every name reads back as it was given', async () => {
  await using cloud = await givenStorage()
  const names = ['a', 'a/b', 'a/b c#?%25é', 'x//y', 'dir/', '../esc', 'plus+plus', 'trailing ', '😀', 'n'.repeat(1024)]
  for (const name of names) await cloud.bucket.file(name).save(name, { resumable: false })
  for (const name of names) expect((await cloud.bucket.file(name).download())[0].toString()).toBe(name)
  const [files] = await cloud.bucket.getFiles()
  expect(files.map((file) => file.name)).toEqual(names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))))
  for (const name of ['..', 'a\nb', 'n'.repeat(1025)]) {
    await expect(cloud.bucket.file(name).save('x', { resumable: false })).rejects.toMatchObject({ code: 400 })
  }
})

test('storage trap 26: names that end like a method are objects', async () => {
  await using cloud = await givenStorage()
  for (const name of ['x/acl', 'x/compose', 'x/iam', 'x/rewriteTo/b/bucket/o/y']) {
    await cloud.bucket.file(name).save(name, { resumable: false })
    expect((await cloud.bucket.file(name).getMetadata())[0].name).toBe(name)
  }
})

test('storage trap 30: a patch merges, null takes one key away, and the generation stays', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('o')
  await file.save('x', { resumable: false, contentType: 'text/plain', metadata: { metadata: { Kept: '1', gone: '2' } } })
  const [before] = await file.getMetadata()
  const [after] = await file.setMetadata({ cacheControl: 'no-cache', metadata: { gone: null, added: '3' } })
  expect(after).toMatchObject({ contentType: 'text/plain', cacheControl: 'no-cache', metadata: { Kept: '1', added: '3' } })
  expect(after.metadata).not.toHaveProperty('gone')
  expect([after.generation, after.metageneration]).toEqual([before.generation, '2'])
})

test('storage trap 31: fields cuts an answer, and X-HTTP-Method-Override names the method', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  const listed = await cloud.send('GET', '/storage/v1/b/bucket/o?fields=items(name,size),nextPageToken')
  expect(listed.json()).toEqual({ items: [{ name: 'o', size: '1' }] })
  const headers = { 'x-http-method-override': 'PATCH', 'content-type': 'application/json' }
  const patched = await cloud.send('POST', '/storage/v1/b/bucket/o/o?fields=contentType', { headers, body: '{"contentType":"a/b"}' })
  expect(patched.json()).toEqual({ contentType: 'a/b' })
})

test('storage trap 34: a copy keeps the metadata, a rewrite is done in one step, and bytes are shared', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('from')
  await file.save(Buffer.alloc(100_000, 'x'), { resumable: false, contentType: 'text/plain', metadata: { metadata: { a: 'b' } } })
  const [copy, answer] = await file.copy(cloud.bucket.file('to'))
  await file.delete()
  expect(answer).toMatchObject({ done: true, objectSize: '100000', totalBytesRewritten: '100000' })
  expect((await copy.getMetadata())[0]).toMatchObject({ contentType: 'text/plain', metadata: { a: 'b' } })
  expect((await copy.download())[0]).toHaveLength(100_000)
})

test('a composition has the bytes of all, no MD5 and the count of its parts', async () => {
  await using cloud = await givenStorage()
  for (const name of ['1', '2', '3']) await cloud.bucket.file(name).save(name.repeat(40_000), { resumable: false })
  await cloud.bucket.combine(['1', '2', '3'], 'all')
  const [content] = await cloud.bucket.file('all').download()
  const [metadata] = await cloud.bucket.file('all').getMetadata()
  expect(content.toString()).toBe('1'.repeat(40_000) + '2'.repeat(40_000) + '3'.repeat(40_000))
  expect(metadata).toMatchObject({ componentCount: 3, size: '120000' })
  expect(metadata).not.toHaveProperty('md5Hash')
})

test('a composition of compositions is written anew, and is the same bytes', async () => {
  await using cloud = await givenStorage()
  const { bucket } = cloud
  for (let at = 0; at < 20; at += 1) await bucket.file(`p${at}`).save(`${at},`, { resumable: false })
  const parts = Array.from({ length: 20 }, (_, at) => bucket.file(`p${at}`))
  await bucket.combine(parts, 'one')
  await bucket.combine([bucket.file('one'), bucket.file('one'), bucket.file('p0')], 'two')
  await Promise.all(parts.map((file) => file.delete()))
  await bucket.file('one').delete()
  const text = Array.from({ length: 20 }, (_, at) => `${at},`).join('')
  expect((await bucket.file('two').download()).toString()).toBe(`${text}${text}0,`)
  const [{ componentCount, md5Hash }] = await bucket.file('two').getMetadata()
  expect([componentCount, md5Hash]).toEqual([41, undefined])
  expect(cloud.state.db.prepare('SELECT count(*) AS n FROM object_blobs').get()).toEqual({ n: 1 })
})

test('storage trap 35: in a versioned bucket an overwritten generation can be read, listed and removed for good', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.setMetadata({ versioning: { enabled: true } })
  const file = cloud.bucket.file('o')
  await file.save('old', { resumable: false })
  const [{ generation }] = await file.getMetadata()
  await file.save('new', { resumable: false })
  const [files] = await cloud.bucket.getFiles({ versions: true })
  expect(files.map((one) => one.metadata.timeDeleted !== undefined)).toEqual([true, false])
  const old = cloud.bucket.file('o', { generation: Number(generation) })
  expect((await old.download())[0].toString()).toBe('old')
  await old.delete()
  expect((await cloud.bucket.getFiles({ versions: true }))[0]).toHaveLength(1)
})

test('a held object is neither deleted nor replaced', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('o')
  await file.save('x', { resumable: false })
  await file.setMetadata({ temporaryHold: true })
  await expect(file.delete()).rejects.toMatchObject({ code: 403 })
  await expect(file.save('y', { resumable: false })).rejects.toMatchObject({ code: 403 })
})

test('storage trap 32: a call that fails does not fail its batch', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  const part = (id: string, name: string) =>
    `--b\r\nContent-Type: application/http\r\nContent-ID: <${id}>\r\n\r\nDELETE /storage/v1/b/bucket/o/${name} HTTP/1.1\r\naccept: */*\r\n\r\n`
  const headers = { 'content-type': "multipart/mixed; boundary='b'" }
  const answer = await cloud.send('POST', '/batch/storage/v1', { headers, body: `${part('1', 'none')}${part('2', 'o')}--b--` })
  expect(answer.status).toBe(200)
  expect(answer.text).toMatch(
    /Content-ID: <response-1>\r\n\r\nHTTP\/1\.1 404 Not Found[^]*Content-ID: <response-2>\r\n\r\nHTTP\/1\.1 204 No Content/,
  )
  expect(await cloud.bucket.file('o').exists()).toEqual([false])
})

test('what is not emulated is refused by name', async () => {
  await using cloud = await givenStorage()
  const answer = await cloud.send('POST', '/storage/v1/b/bucket/notificationConfigs', { headers: { authorization: 'Bearer x' } })
  expect(answer.json()).toMatchObject({
    error: { code: 400, message: expect.stringContaining('/storage/v1/b/bucket/notificationConfigs') },
  })
  const sealed = await cloud.send('GET', '/storage/v1/b/bucket/o/o', { headers: { 'x-goog-encryption-algorithm': 'AES256' } })
  expect(sealed.status).toBe(400)
})

test('without a token a private object is 401 over JSON', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  const answer = await cloud.send('GET', '/storage/v1/b/bucket/o/o', { headers: anonymous })
  expect(answer.status).toBe(401)
  expect(answer.json()).toMatchObject({ error: { errors: [{ reason: 'required', locationType: 'header', location: 'Authorization' }] } })
})
