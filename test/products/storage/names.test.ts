import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { givenStorage, type GivenStorage } from './given-storage.ts'

const media = '/upload/storage/v1/b/bucket/o?uploadType=media&name='

/** Every file at and below the parent of the state directory, by its path there. */
function filesAround({ directory }: GivenStorage): string[] {
  return readdirSync(dirname(directory), { recursive: true }).map(String).toSorted()
}

test('S15: names that would lead out of a folder are names, whole, or 400, and no file has them', async () => {
  await using given = await givenStorage()
  const { send } = given
  const names = [
    '../../x', '..\\x', '%2e%2e%2f', '../', '/../../etc/passwd', '/', '//', 'foo', 'foo/bar', 'foo/', 'a/./b', 'a/../b', 'C:\\x', 'nul\0byte', '~', '-rf',
    'x'.repeat(1024), 'é'.repeat(512), '\u{1f600}', '*', 'a?b', 'a#b', 'a%b', ' ', 'trailing ', '.hidden', '...', '__proto__', 'constructor',
    '.well-known/x',
  ] // prettier-ignore
  const large = Buffer.alloc(40_000, 1) // past what is kept in a row
  for (const name of names) {
    const body = Buffer.concat([Buffer.from(name), large])
    const made = await send('POST', media + encodeURIComponent(name), { body })
    expect([name, made.status, made.json()['name']]).toEqual([name, 200, name])
    const read = await send('GET', `/storage/v1/b/bucket/o/${encodeURIComponent(name)}?alt=media`)
    expect([name, read.bytes.equals(body)]).toEqual([name, true])
  }
  const [files] = await given.bucket.getFiles()
  expect(files.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
  const refused = ['', '.', '..', 'a\nb', 'a\rb', 'x'.repeat(1025), `${'é'.repeat(512)}x`, '.well-known/acme-challenge/x']
  for (const name of refused)
    expect([name, (await send('POST', media + encodeURIComponent(name), { body: 'x' })).status]).toEqual([name, 400])
  const around = filesAround(given)
  expect(around.filter((path) => !/^state(\/(state\.db(-wal|-shm)?|objects(\/[0-9a-f]{32})?|[\w.-]+))?$/.test(path))).toEqual([])
  expect(readdirSync(join(given.directory, 'objects')).length).toBe(names.length)
  for (const path of [
    '/storage/v1/b/bucket/o/../../../../etc/passwd',
    '/bucket/../../etc/passwd',
    '/storage/v1/b/../o/x',
    '/storage/v1/b/%2e%2e/o/x',
  ])
    expect([path, [400, 404].includes((await send('GET', path)).status)]).toEqual([path, true])
})

test('S15: what is not UTF-8 is 400 in a path, a query, JSON and a part, not another name', async () => {
  await using given = await givenStorage()
  const { send } = given
  const latin1 = Buffer.from('caf\xe9', 'latin1')
  const part = (name: Buffer) =>
    Buffer.concat([Buffer.from('--b\r\nContent-Type: application/json\r\n\r\n{"name":"'), name, Buffer.from('"}\r\n--b\r\n\r\nx\r\n--b--')])
  const multipart = (name: Buffer) =>
    send('POST', '/upload/storage/v1/b/bucket/o?uploadType=multipart', {
      headers: { 'content-type': 'multipart/related; boundary=b' },
      body: part(name),
    })
  const json = (text: string | Buffer) => send('POST', '/upload/storage/v1/b/bucket/o?uploadType=resumable', { body: text })
  const statuses = {
    query: (await send('POST', `${media}caf%E9`, { body: 'x' })).status,
    halfQuery: (await send('POST', `${media}%F0%9F`, { body: 'x' })).status,
    badEscape: (await send('POST', `${media}100%`, { body: 'x' })).status,
    path: (await send('GET', '/storage/v1/b/bucket/o/caf%E9')).status,
    overlong: (await send('GET', '/storage/v1/b/bucket/o/%c0%af')).status,
    surrogate: (await send('GET', '/storage/v1/b/bucket/o/%ED%A0%80')).status,
    xml: (await send('GET', '/bucket/caf%E9')).status,
    list: (await send('GET', '/storage/v1/b/bucket/o?prefix=%E9')).status,
    part: (await multipart(latin1)).status,
    json: (await json(Buffer.concat([Buffer.from('{"name":"'), latin1, Buffer.from('"}')]))).status,
    halfCharacter: (await json('{"name":"\\ud800"}')).status,
    metadata: (await json('{"name":"o","metadata":{"a":"\\udc00"}}')).status,
  }
  expect(statuses).toEqual(Object.fromEntries(Object.keys(statuses).map((key) => [key, 400])))
  expect((await multipart(Buffer.from('café'))).json()['name']).toBe('café')
  expect((await json('{"name":"\\ud83d\\ude00"}')).status).toBe(200)
  const [files] = await given.bucket.getFiles()
  expect(files.map(({ name }) => name)).toEqual(['café'])
})

test('S24: __proto__ and its like are keys of metadata and contexts like any other', async () => {
  await using given = await givenStorage()
  const { send } = given
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'custom']
  const metadata = `{${keys.map((key) => `"${key}":"of ${key}"`).join(',')}}`
  const told = (answer: { text: string }) => (JSON.parse(answer.text) as { metadata: object }).metadata
  const object = '/storage/v1/b/bucket/o/o'
  await send('POST', `${media}o`, { body: 'x' })
  expect(Object.entries(told(await send('PATCH', object, { body: `{"metadata":${metadata}}` })))).toEqual(
    keys.map((key) => [key, `of ${key}`]),
  )
  expect(Object.keys(told(await send('PATCH', object, { body: '{"metadata":{"constructor":null,"__proto__":"new"}}' })))).toEqual(
    keys.filter((key) => key !== 'constructor'),
  )
  expect(Object.entries(told(await send('GET', `${object}?fields=metadata`)))[0]).toEqual(['__proto__', 'new'])
  const xml = await send('GET', '/bucket/o')
  expect(xml.headers['x-goog-meta-__proto__']).toBe('new')
  await send('POST', '/storage/v1/b/bucket/o/o/copyTo/b/bucket/o/copy')
  expect(Object.keys(told(await send('GET', '/storage/v1/b/bucket/o/copy')))).toContain('__proto__')
  await send('PATCH', object, { body: '{"__proto__":{"polluted":"yes"},"contexts":{"custom":{"k":{"value":"v"}}}}' })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  const label = await send('PATCH', '/storage/v1/b/bucket', { body: '{"labels":{"__proto__":"x"}}' })
  expect(label.status).toBe(400)
})

test('null is absent in every message but a patch, where it takes away', async () => {
  await using given = await givenStorage()
  const { send } = given
  for (const name of ['a', 'b']) await send('POST', media + name, { body: name })
  const composed = await send('POST', '/storage/v1/b/bucket/o/c/compose', {
    body: JSON.stringify({
      kind: null,
      destination: { contentType: null, metadata: null, storageClass: null },
      sourceObjects: ['a', 'b'].map((name) => ({ name, generation: null, objectPreconditions: null })),
    }),
  })
  expect([composed.status, composed.json()['size']]).toEqual([200, '2'])
  const rewritten = await send('POST', '/storage/v1/b/bucket/o/a/rewriteTo/b/bucket/o/d', {
    body: '{"contentType":"x/y","acl":null,"metadata":null}',
  })
  expect(rewritten.json()['resource']).toMatchObject({ contentType: 'x/y' })
  const nulls = {
    labels: null,
    lifecycle: null,
    cors: null,
    acl: null,
    retentionPolicy: null,
    versioning: null,
    location: null,
    iamConfiguration: null,
  }
  const made = await send('POST', '/storage/v1/b?project=demo', { body: JSON.stringify({ name: 'nulls', ...nulls }) })
  expect(made.status).toBe(200)
  const policy = { version: 3, etag: null, bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'], condition: null }] }
  expect((await send('PUT', '/storage/v1/b/nulls/iam', { body: JSON.stringify(policy) })).status).toBe(200)
  const rule = { action: { type: 'Delete', storageClass: null }, condition: { age: 1, isLive: null, matchesPrefix: null } }
  const patched = await send('PATCH', '/storage/v1/b/nulls', {
    body: JSON.stringify({ lifecycle: { rule: [rule] }, labels: { a: 'b', c: null } }),
  })
  expect(patched.json()).toMatchObject({ lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 1 } }] }, labels: { a: 'b' } })
})

test('a parameter that asks for what is not there is refused by name, and one that Google does not know either is passed over', async () => {
  await using given = await givenStorage()
  const { send } = given
  await send('POST', `${media}o`, { body: 'x' })
  const refused = [
    ['GET', 'o?softDeleted=true'], ['GET', 'o?filter=contexts.%22a%22%3A*'], ['GET', 'o/o?softDeleted=true'], ['GET', 'o/o?restoreToken=x'],
    ['GET', 'o?includeFoldersAsPrefixes=true'], ['POST', 'o/o/rewriteTo/b/bucket/o/p?destinationKmsKeyName=k'],
    ['POST', 'o/o/copyTo/b/bucket/o/p?destinationKmsKeyName=k'], ['POST', 'o/o/compose?kmsKeyName=k'],
    ['POST', 'o/o/rewriteTo/b/bucket/o/p?dropContextGroups=x'],
  ] as const // prettier-ignore
  for (const [verb, path] of refused) {
    const answer = await send(verb, `/storage/v1/b/bucket/${path}`)
    const name = /\?(\w+)/.exec(path)?.[1]
    expect([path, answer.status, answer.text.includes(`(${name})`)]).toEqual([path, 400, true])
  }
  expect((await send('POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=k&kmsKeyName=k', { body: 'x' })).status).toBe(400)
  expect((await send('PATCH', '/storage/v1/b/bucket/o/o', { body: '{"kmsKeyName":"k"}' })).status).toBe(400)
  for (const query of [
    'projection=some',
    'maxResults=many',
    'versions=perhaps',
    'IfGenerationMatch=1',
    'MaxResults=1',
    'pageToken=nonsense',
  ])
    expect([query, (await send('GET', `/storage/v1/b/bucket/o?${query}`)).status]).toEqual([query, 400])
  for (const query of ['autoPaginate=false', 'softDeleted=false', 'userProject=demo', 'prettyPrint=false', 'key=abc', 'quotaUser=me'])
    expect([query, (await send('GET', `/storage/v1/b/bucket/o?${query}`)).status]).toEqual([query, 200])
})

test('bucket names follow the rules of Google', async () => {
  await using given = await givenStorage()
  const make = async (name: string) => (await given.send('POST', '/storage/v1/b?project=demo', { body: JSON.stringify({ name }) })).status
  const wrong = [
    'ab', 'a'.repeat(64), 'Upper', 'a b', '-ab', 'ab-', '_ab', 'ab_', 'a..b', 'a.-b', 'a-.b', '.ab', 'ab.', '192.168.5.4', 'goog-x', 'my-google', 'g00gle-x',
    'a/b', '..', 'a\0b', `${'a.'.repeat(111)}aa`, `${'a'.repeat(64)}.com`, 'é-bucket', '',
  ] // prettier-ignore
  for (const name of wrong) expect([name, await make(name)]).toEqual([name, 400])
  for (const name of ['abc', 'a_b-c', '0ab9', 'a'.repeat(63), 'www.example.com', `${'a'.repeat(63)}.com`])
    expect([name, await make(name)]).toEqual([name, 200])
})
