import { Storage } from '@google-cloud/storage'
import { generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { anonymous, givenStorage } from './given-storage.ts'

const media = '/storage/v1/b/bucket/o/o?alt=media'

test('storage trap 20: ranges are inclusive, open or counted from the end', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('0123456789', { resumable: false })
  const get = async (range: string, target = media) => {
    const { status, text, headers } = await cloud.send('GET', target, { headers: { range } })
    return [status, text, headers['content-range']]
  }
  expect(await get('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10'])
  expect(await get('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10'])
  expect(await get('bytes=-3', '/download/storage/v1/b/bucket/o/o')).toEqual([206, '789', 'bytes 7-9/10'])
  expect(await get('bytes=8-99', '/bucket/o')).toEqual([206, '89', 'bytes 8-9/10'])
  expect((await get('bytes=5-2'))[0]).toBe(200)
  expect(await get('bytes=10-')).toEqual([416, 'Request range not satisfiable', 'bytes */10'])
  expect((await cloud.bucket.file('o').download({ start: 1, end: 2 }))[0].toString()).toBe('12')
})

test('an object without bytes is an empty answer', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('', { resumable: false })
  const answer = await cloud.send('GET', media)
  expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([200, '0', ''])
})

test('storage trap 16: gzip is inflated for who does not accept it, and not where no-transform says so', async () => {
  await using cloud = await givenStorage()
  const packed = gzipSync('hello hello')
  const metadata = { contentEncoding: 'gzip', contentType: 'text/plain' }
  await cloud.bucket.file('o').save(packed, { resumable: false, metadata })
  const inflated = await cloud.send('GET', media, { headers: { range: 'bytes=0-1' } })
  expect([inflated.status, inflated.text]).toEqual([200, 'hello hello'])
  expect(inflated.headers).toMatchObject({
    'x-goog-stored-content-encoding': 'gzip',
    'x-goog-stored-content-length': String(packed.length),
  })
  expect(inflated.headers).not.toHaveProperty('content-encoding')
  expect(inflated.headers).not.toHaveProperty('content-length')
  const stored = await cloud.send('GET', '/bucket/o', { headers: { 'accept-encoding': 'gzip' } })
  expect([stored.bytes.equals(packed), stored.headers['content-encoding']]).toEqual([true, 'gzip'])
  await cloud.bucket.file('o').setMetadata({ cacheControl: 'no-transform' })
  expect((await cloud.send('GET', media)).bytes.equals(packed)).toBe(true)
})

test('storage traps 15 and 17: hashes are of the stored bytes, and the two wires tag an object differently', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('hello', { resumable: false, contentType: 'text/plain', metadata: { metadata: { Owner: 'größe' } } })
  const [metadata] = await cloud.bucket.file('o').getMetadata()
  const json = await cloud.send('GET', media)
  const xml = await cloud.send('HEAD', '/bucket/o')
  const hash = 'crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg=='
  expect(json.headers).toMatchObject({ 'x-goog-hash': hash, 'x-goog-generation': metadata.generation, etag: metadata.etag })
  expect(xml.headers).toMatchObject({ 'x-goog-hash': hash, 'content-length': '5', etag: '"5d41402abc4b2a76b9719d911017c592"' })
  expect(Buffer.from(String(xml.headers['x-goog-meta-owner']), 'latin1').toString()).toBe('größe')
  for (const [target, etag] of [[media, metadata.etag] as const, ['/bucket/o', xml.headers.etag] as const]) {
    expect((await cloud.send('GET', target, { headers: { 'if-none-match': String(etag) } })).status).toBe(304)
    expect((await cloud.send('GET', target, { headers: { 'if-match': '"other"' } })).status).toBe(412)
  }
})

test('S18: every answer with the bytes of an object says that its type is not to be guessed', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('page.html').save('<script>alert(1)</script>', { resumable: false, contentType: 'text/plain' })
  for (const path of ['/bucket/page.html', '/storage/v1/b/bucket/o/page.html?alt=media', '/download/storage/v1/b/bucket/o/page.html']) {
    for (const range of [undefined, 'bytes=0-3']) {
      const { headers } = await cloud.send('GET', path, { headers: { ...(range !== undefined && { range }) } })
      expect([path, headers['x-content-type-options'], headers['content-type']]).toEqual([path, 'nosniff', 'text/plain'])
    }
  }
})

test('storage trap 18: an absent object is words to alt=media, and NoSuchKey to XML', async () => {
  await using cloud = await givenStorage()
  const json = await cloud.send('GET', media)
  expect([json.status, json.text, json.headers['content-type']]).toEqual([404, 'No such object: bucket/o', 'text/html; charset=UTF-8'])
  const xml = await cloud.send('GET', '/bucket/o')
  expect([xml.status, xml.headers['content-type']]).toEqual([404, 'application/xml; charset=UTF-8'])
  expect(xml.text).toContain('<Error><Code>NoSuchKey</Code>')
})

test('an object with predefinedAcl publicRead is read without a token, a private one is not', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('dir/public').save('open', { resumable: false, predefinedAcl: 'publicRead' })
  await cloud.bucket.file('private').save('closed', { resumable: false })
  const virtual = { host: 'bucket.storage.googleapis.com' }
  expect((await cloud.send('GET', '/bucket/dir/public', { headers: anonymous })).text).toBe('open')
  expect((await cloud.send('GET', '/dir/public', { headers: virtual })).text).toBe('open')
  expect((await cloud.send('GET', '/storage/v1/b/bucket/o/dir%2Fpublic?alt=media', { headers: anonymous })).text).toBe('open')
  for (const refused of [
    await cloud.send('GET', '/bucket/private', { headers: anonymous }),
    await cloud.send('GET', '/private', { headers: virtual }),
    await cloud.send('GET', '/bucket/absent', { headers: anonymous }),
  ]) {
    expect([refused.status, refused.text.includes('<Code>AccessDenied</Code>')]).toEqual([403, true])
  }
  expect((await cloud.send('GET', media.replace('o?', 'private?'), { headers: anonymous })).status).toBe(401)
})

test('allUsers with roles/storage.objectViewer reads every object, unless public access is prevented', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  await cloud.bucket.iam.setPolicy({ bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }] })
  expect((await cloud.send('GET', '/bucket/o', { headers: anonymous })).status).toBe(200)
  expect((await cloud.send('GET', '/bucket/absent', { headers: anonymous })).status).toBe(404)
  await cloud.bucket.setMetadata({ iamConfiguration: { publicAccessPrevention: 'enforced' } })
  expect((await cloud.send('GET', '/bucket/o', { headers: anonymous })).status).toBe(403)
})

test('storage trap 27: on a virtual host the path is a name, whatever it looks like', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('storage/v1/b/bucket').save('mine', { resumable: false, predefinedAcl: 'publicRead' })
  expect((await cloud.send('GET', '/storage/v1/b/bucket', { headers: { host: 'bucket.storage.googleapis.com' } })).text).toBe('mine')
})

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const credentials = { client_email: 'a@b', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
/** Signs for Google's own host. */
const signer = new Storage({ projectId: 'demo', credentials }).bucket('bucket')
const signingKeys = (email: string) => (email === 'a@b' ? [publicKey] : [])

test('storage trap 28: a signed URL reads a private object until it expires; of another method, path or signature it does not', async () => {
  let nowMs = Date.now()
  const clock = { nowMs: () => nowMs, ticksMs: () => 0 }
  await using cloud = await givenStorage({ clock, signingKeys })
  const file = signer.file('a/b c')
  await cloud.send('POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=a%2Fb%20c', { body: 'x' })
  await cloud.send('POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=other', { body: 'y' })
  for (const version of ['v2', 'v4'] as const) {
    const [url] = await file.getSignedUrl({ version, action: 'read', expires: nowMs + 60_000, queryParams: { 'x-z': "it's (a) ~ *" } })
    const target = new URL(url).pathname + new URL(url).search
    const get = async (changed: string, method = 'GET') => {
      const { status, text } = await cloud.send(method, changed, { headers: anonymous })
      return [status, /<Code>(.*)<\/Code>/.exec(text)?.[1]]
    }
    expect(await get(target)).toEqual([200, undefined])
    expect(await get(target.replace('/a/b%20c', '/other'))).toEqual([403, 'SignatureDoesNotMatch'])
    expect((await get(target, 'HEAD'))[0]).toBe(403)
    expect((await get(`${target}&x=1`))[0]).toBe(version === 'v4' ? 403 : 200)
    const forged = target.replace(/ignature=(..)/, (_, first) => `ignature=${first === '00' ? '11' : '00'}`) // one in 256 begins with 00
    expect(await get(forged)).toEqual([403, 'SignatureDoesNotMatch'])
    expect(await get(target.replace('a%40b', 'other%40b'))).toEqual([403, 'SignatureDoesNotMatch']) // an account that nobody knows proves nothing
    nowMs += 61_000
    expect(await get(target)).toEqual([400, 'ExpiredToken'])
    nowMs -= 61_000
  }
})

test('storage trap 28: every header that a V4 URL lists is wanted, with the value that was signed', async () => {
  await using cloud = await givenStorage({ signingKeys })
  await cloud.send('POST', '/upload/storage/v1/b/bucket/o?uploadType=media&name=o', { body: 'x' })
  const extensionHeaders = { 'x-goog-meta-a': 'one  two' }
  const [url] = await signer.file('o').getSignedUrl({ version: 'v4', action: 'read', expires: Date.now() + 60_000, extensionHeaders })
  const { pathname, search } = new URL(url)
  const get = async (headers: Record<string, string>) => {
    const { status, text } = await cloud.send('GET', pathname + search, { headers: { ...anonymous, ...headers } })
    return [status, /<Code>(.*)<\/Code>/.exec(text)?.[1]]
  }
  expect(await get({ 'x-goog-meta-a': 'one  two' })).toEqual([200, undefined])
  expect(await get({})).toEqual([400, 'MalformedSecurityHeader'])
  expect(await get({ 'x-goog-meta-a': 'three' })).toEqual([403, 'SignatureDoesNotMatch'])
})

test('storage trap 28: a signed URL with a part that is missing or malformed is 400', async () => {
  await using cloud = await givenStorage({ signingKeys })
  await cloud.bucket.file('o').save('x', { resumable: false })
  const whole = {
    'X-Goog-Algorithm': 'GOOG4-RSA-SHA256', 'X-Goog-Credential': 'a@b/20260101/auto/storage/goog4_request', 'X-Goog-Date': '20260101T000000Z',
    'X-Goog-Expires': '900', 'X-Goog-SignedHeaders': 'host', 'x-goog-signature': 'ab12',
  } // prettier-ignore
  const wrong = [
    ['X-Goog-Algorithm', 'GOOG4-HMAC-SHA256'], ['X-Goog-Credential', 'a@b'], ['X-Goog-Date', '20269901T000000Z'], ['X-Goog-Expires', '700000'],
    ['X-Goog-Expires', '0'], ['X-Goog-SignedHeaders', 'content-type'], ['x-goog-signature', 'nothex'],
  ] as const // prettier-ignore
  for (const [name, value] of wrong) {
    const query = new URLSearchParams({ ...whole, [name]: value })
    expect([name, (await cloud.send('GET', `/bucket/o?${query}`, { headers: anonymous })).status]).toEqual([name, 400])
  }
  expect((await cloud.send('GET', '/bucket/o?GoogleAccessId=a%40b&Expires=soon&Signature=YWI%3D', { headers: anonymous })).status).toBe(400)
})

test('a preflight follows the rules of the bucket over XML, and is granted over JSON to all but pages on the port without tokens', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.setCorsConfiguration([
    { origin: ['https://app.example'], method: ['GET'], responseHeader: ['Content-Type', 'x-goog-meta-*'], maxAgeSeconds: 60 },
  ])
  await cloud.bucket.file('o').save('x', { resumable: false })
  const ask = async (target: string, origin: string, method: string, wanted = '', host = {}) => {
    const headers = {
      ...host,
      origin,
      'access-control-request-method': method,
      ...(wanted !== '' && { 'access-control-request-headers': wanted }),
    }
    const answer = await cloud.send('OPTIONS', target, { headers })
    return [answer.status, answer.headers['access-control-allow-origin'], answer.headers['access-control-max-age']]
  }
  expect(await ask('/bucket/o', 'https://app.example', 'GET', 'X-Goog-Meta-A')).toEqual([200, 'https://app.example', '60'])
  expect(await ask('/bucket/o', 'https://app.example', 'GET', 'x-other')).toEqual([200, undefined, undefined])
  expect(await ask('/bucket/o', 'https://app.example', 'PUT')).toEqual([200, undefined, undefined])
  expect(await ask('/bucket/o', 'https://evil.example', 'GET')).toEqual([200, undefined, undefined])
  const json = ['/storage/v1/b/bucket/o', 'https://evil.example', 'POST', ''] as const
  expect(await ask(...json, anonymous)).toEqual([200, 'https://evil.example', '3600'])
  expect((await ask(...json))[1]).toBeUndefined() // S2: whoever asks here is the local user
  const read = await cloud.send('GET', '/bucket/o', { headers: { origin: 'https://app.example' } })
  expect(read.headers['access-control-allow-origin']).toBe('https://app.example')
})

test('methods of the XML API that write are refused by name', async () => {
  await using cloud = await givenStorage()
  for (const [method, target] of [
    ['PUT', '/bucket/o'],
    ['POST', '/bucket/o'],
    ['DELETE', '/bucket/o'],
    ['GET', '/bucket'],
  ] as const) {
    const answer = await cloud.send(method, target, { headers: { host: 'storage.googleapis.com' } })
    expect([answer.status, answer.text.includes('<Code>NotImplemented</Code>')]).toEqual([400, true])
    expect(answer.text).toContain(method)
  }
})

test('on the endpoints port a path of another API is refused in its own shape, and an unknown bucket is NoSuchBucket', async () => {
  await using cloud = await givenStorage()
  for (const [method, target] of [
    ['GET', '/sql/v1beta4/projects/p/instances'],
    ['GET', '/v2/projects/p'],
    ['POST', '/nowhere/o'],
    ['GET', '/'],
  ] as const) {
    expect((await cloud.send(method, target)).json()).toMatchObject({ error: { code: 400, status: 'UNIMPLEMENTED' } })
  }
  expect((await cloud.send('GET', '/nowhere/o')).text).toContain('<Code>NoSuchBucket</Code>')
})

test('storage trap 41: a client that goes away while it reads leaves the server up', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('big').save(Buffer.alloc(20 << 20), { resumable: false })
  for (let round = 0; round < 5; round += 1) {
    const stop = new AbortController()
    const answer = await fetch(`${cloud.api.url}/bucket/big`, { signal: stop.signal })
    await answer.body?.getReader().read()
    stop.abort()
  }
  expect((await cloud.bucket.file('big').download())[0]).toHaveLength(20 << 20)
})
