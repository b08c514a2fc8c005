import { afterAll, beforeAll, expect, test } from 'vitest'
import { deflateSync, gzipSync } from 'node:zlib'
import { givenCloud, type GivenCloud } from './given-cloud.ts'

let given: GivenCloud
beforeAll(async () => {
  given = await givenCloud()
  await given.send('POST', '/storage/v1/b?project=demo-project', { body: '{"name":"packed"}' })
})
afterAll(() => given[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const run = '/apis/serving.knative.dev/v1/namespaces/demo-project/services'
const upload = '/upload/storage/v1/b/packed/o'
const parts = '--x\r\ncontent-type: application/json\r\n\r\n{"name":"two"}\r\n--x\r\n\r\nbytes of two\r\n--x--'

/** Each answer shows that the body was read: it names something that only the body says. */
test.each([
  [
    'REST',
    'POST',
    '/v1/projects/demo-project/secrets?secretId=one',
    json,
    '{"replication":{"automatic":{}},"labels":{"a":"b1"}}',
    200,
    '"b1"',
  ],
  ['Storage, a resource', 'POST', '/storage/v1/b?project=demo-project', json, '{"name":"bucket-of-java"}', 200, 'bucket-of-java'],
  [
    'Storage, a policy',
    'PUT',
    '/storage/v1/b/packed/iam',
    json,
    '{"bindings":[{"role":"roles/x","members":["allUsers"]}]}',
    200,
    'roles/x',
  ],
  ['Storage, simple', 'POST', `${upload}?uploadType=media&name=one`, {}, 'bytes of one', 200, '"size":"12"'],
  [
    'Storage, multipart',
    'POST',
    `${upload}?uploadType=multipart`,
    { 'content-type': 'multipart/related; boundary=x' },
    parts,
    200,
    '"size":"12"',
  ],
  ['Storage, a session', 'POST', `${upload}?uploadType=resumable`, json, '{"name":"three"}', 200, ''],
  [
    'SQL',
    'POST',
    '/sql/v1beta4/projects/demo-project/instances',
    json,
    '{"name":"a","databaseVersion":"MYSQL_8_0","settings":{"tier":"x"}}',
    0,
    'MYSQL_8_0',
  ],
  [
    'Run v1',
    'POST',
    run,
    json,
    '{"metadata":{"name":"Bad Name"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}',
    400,
    'Bad Name',
  ],
  ['OAuth, a form', 'POST', '/token', form, 'grant_type=of-my-own', 400, 'of-my-own'],
  ['OAuth, JSON', 'POST', '/token', json, '{"grant_type":"of-my-own"}', 400, 'of-my-own'],
])('a body packed with gzip or deflate is unpacked: %s', async (_what, method, target, headers, body, status, named) => {
  for (const [coding, pack] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const) {
    // prettier-ignore
    const url = target.replace('secretId=one', `secretId=${coding}`)
    const answer = await given.send(method, url, {
      headers: { ...headers, 'content-encoding': coding },
      body: pack(body.replace('-of-java', `-${coding}`)),
    })
    expect(answer.text).toContain(named.replace('-of-java', `-${coding}`))
    if (status !== 0) expect(answer.status).toBe(status)
  }
})

test('the bytes of an upload are stored unpacked, and what the resource says of its own coding stays', async () => {
  const bytes = Buffer.alloc(48 << 20, 'sixteen bytes...')
  const headers = { 'content-encoding': 'gzip', 'content-type': 'text/plain' }
  const made = await given.send('POST', `${upload}?uploadType=media&name=large&contentEncoding=identity`, {
    headers,
    body: gzipSync(bytes),
  })
  expect(JSON.parse(made.text)).toMatchObject({ size: String(bytes.length), contentEncoding: 'identity' })
})

test('what is no gzip, is cut off, is packed by an unknown coding, or is too large when unpacked is 400 in words', async () => {
  const packed = gzipSync(JSON.stringify({ replication: { automatic: {} }, labels: { a: 'b' } }))
  const cases = [
    ['gzip', '{"plain":"json"}', 'The body is not what \\"Content-Encoding: gzip\\" says.'],
    ['gzip', packed.subarray(0, packed.length - 5), 'The body is not what \\"Content-Encoding: gzip\\" says.'],
    ['br', packed, 'Content-Encoding \\"br\\" is not supported.'],
    ['gzip, gzip', packed, 'Content-Encoding \\"gzip, gzip\\" is not supported.'],
    ['gzip', gzipSync(Buffer.alloc(200 << 20, ' ')), 'too large'],
  ] as const
  for (const target of [
    '/v1/projects/demo-project/secrets?secretId=bad',
    '/storage/v1/b?project=demo-project',
    run,
    '/sql/v1beta4/projects/demo-project/instances',
  ]) {
    for (const [coding, body, words] of cases) {
      const answer = await given.send('POST', target, { headers: { ...json, 'content-encoding': coding }, body })
      expect([target, coding, answer.status, answer.text]).toEqual([target, coding, 400, expect.stringContaining(words)])
    }
  }
  const answer = await given.send('POST', '/v1/projects/demo-project/secrets?secretId=after', {
    headers: json,
    body: '{"replication":{"automatic":{}}}',
  })
  expect(answer.status).toBe(200)
})

test('an empty body is empty, whatever its coding is said to be', async () => {
  expect((await given.send('GET', '/storage/v1/b/packed', { headers: { 'content-encoding': 'gzip' } })).status).toBe(200)
  const answer = await given.send('POST', '/v1/projects/demo-project/secrets/gzip:getIamPolicy', {
    headers: { 'content-encoding': 'gzip' },
  })
  expect(answer.text).not.toContain('Content-Encoding')
})
