import { createHash } from 'node:crypto'
import http from 'node:http'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuzzSeed, seeded } from '../seeded.ts'
import { givenCloud, type GivenCloud } from './given-cloud.ts'

let given: GivenCloud
beforeAll(async () => {
  given = await givenCloud()
  await ok('POST', '/storage/v1/b?project=demo-project', '{"name":"borders"}')
})
afterAll(() => given[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const send = (method: string, target: string, body?: string, headers: Readonly<Record<string, string>> = {}) =>
  given.send(method, target, { headers: { ...json, ...headers }, ...(body !== undefined && { body }) })
async function ok(method: string, target: string, body?: string): Promise<Record<string, unknown>> {
  const answer = await send(method, target, body)
  expect([target, answer.status], answer.text).toEqual([target, 200])
  return JSON.parse(answer.text) as Record<string, unknown>
}

test.each(['%zz', '%', '%ff', '%c3%28', '%ed%a0%80', '%e0%80%af'])(
  'a path or a query with %s is 400 in the words of the API it is for',
  async (escape) => {
    const common = { error: { code: 400, message: 'The requested URL has a malformed percent-encoding.', status: 'INVALID_ARGUMENT' } }
    const ofStorage = { error: { code: 400, errors: [{ reason: 'invalid', domain: 'global' }] } }
    const ofSql = { error: { code: 400, status: 'INVALID_ARGUMENT', errors: [{ reason: 'invalid', domain: 'global' }] } }
    for (const [target, body] of [
      [`/v1/projects/${escape}/secrets`, common],
      [`/v1/projects/demo-project/secrets?filter=${escape}`, common],
      [`/v2/projects/demo-project/locations/us-central1/services/${escape}`, common],
      [`/apis/serving.knative.dev/v1/namespaces/demo-project/services/${escape}`, common],
      [`/${escape}`, common],
      [`/storage/v1/b/${escape}`, ofStorage],
      [`/storage/v1/b/borders/o/${escape}`, ofStorage],
      [`/storage/v1/b/borders/o?prefix=${escape}`, ofStorage],
      [`/upload/storage/v1/b/borders/o?uploadType=media&name=${escape}`, ofStorage],
      [`/sql/v1beta4/projects/${escape}/instances`, ofSql],
      [`/sql/v1beta4/projects/demo-project/instances?pageToken=${escape}`, ofSql],
    ] as const) {
      for (const method of ['GET', 'POST']) {
        const answer = await send(method, target)
        expect([method, target, answer.status, JSON.parse(answer.text)]).toMatchObject([method, target, 400, body])
      }
    }
    const xml = await send('GET', `/borders/${escape}`)
    expect([xml.status, xml.headers['content-type'], xml.text]).toEqual([
      400,
      expect.stringContaining('xml'),
      expect.stringContaining('<Error><Code>'),
    ])
  },
)

test('a URL and a head that are too large are 400 in words', async () => {
  for (const target of ['/v1/projects/demo-project/secrets', '/storage/v1/b/borders/o', '/sql/v1beta4/projects/demo-project/instances']) {
    const long = await send('GET', `${target}?filter=${'a'.repeat(20_000)}`)
    expect([long.status, long.text]).toEqual([400, expect.stringContaining('The requested URL is too large to process.')])
    const many = await send('GET', target, undefined, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'a'])))
    expect([many.status, many.text]).toEqual([400, expect.stringContaining('too many header fields')])
    const large = await send('GET', target, undefined, { 'x-large': 'a'.repeat(70_000) })
    expect([large.status, large.text]).toEqual([400, expect.stringContaining('"status":"INVALID_ARGUMENT"')])
  }
})

test('S24: a key of a map is kept, whatever its name, or refused by it', async () => {
  const words = '{"constructor":"b","valueof":"c"}'
  const hidden = '{"__proto__":"a"}'
  for (const [target, resource, field] of [
    ['/v1/projects/demo-project/secrets?secretId=KEY', '{"replication":{"automatic":{}},"labels":MAP}', 'labels'],
    ['/v1/projects/demo-project/secrets?secretId=KEY', '{"replication":{"automatic":{}},"annotations":MAP}', 'annotations'],
    ['/storage/v1/b?project=demo-project', '{"name":"KEY","labels":MAP}', 'labels'],
  ] as const) {
    const make = (map: string) => {
      const key = `key-${crypto.randomUUID()}`
      return send('POST', target.replace('KEY', key), resource.replace('KEY', key).replace('MAP', map))
    }
    expect(textOf(JSON.parse((await make(words)).text) as Resource, field)).toBe(words)
    const answer = await make(hidden)
    if (answer.status === 400) expect(answer.text).toContain('__proto__')
    else expect(textOf(JSON.parse(answer.text) as Resource, field)).toBe(hidden)
  }

  const map = '{"__proto__":"a","constructor":"b","toString":"c","hasOwnProperty":"d"}'
  const parts = `--x\r\n\r\n{"name":"o","metadata":${map}}\r\n--x\r\n\r\nbytes\r\n--x--`
  const upload = '/upload/storage/v1/b/borders/o?uploadType=multipart'
  expect((await send('POST', upload, parts, { 'content-type': 'multipart/related; boundary=x' })).status).toBe(200)
  expect(textOf(await ok('GET', '/storage/v1/b/borders/o/o'), 'metadata')).toBe(map)
  const patch = '{"metadata":{"constructor":null,"__proto__":"z"}}'
  expect(textOf(await ok('PATCH', '/storage/v1/b/borders/o/o', patch), 'metadata')).toBe(
    '{"__proto__":"z","toString":"c","hasOwnProperty":"d"}',
  )
  expect(Reflect.get({}, 'a')).toBeUndefined()
})

test("S24: labels of such names come back through a client of Google's", async () => {
  const client = new SecretManagerServiceClient(given.cloud.clientOptions)
  const labels = { constructor: 'x', tostring: 'y' }
  const [made] = await client.createSecret({
    parent: 'projects/demo-project',
    secretId: 'of-node',
    secret: { replication: { automatic: {} }, labels },
  })
  expect(made.labels).toEqual(labels)
  await client.close()
})

test('a boolean of a query is read as gcloud writes it: False', async () => {
  for (const value of ['false', 'False', 'true', 'True']) await ok('GET', `/v1/projects/demo-project/roles?showDeleted=${value}`)
  expect((await send('GET', '/v1/projects/demo-project/roles?showDeleted=no')).status).toBe(400)
})

test('null is absent in the JSON of every API', async () => {
  await ok(
    'POST',
    '/v1/projects/demo-project/secrets?secretId=null',
    '{"replication":{"automatic":{}},"labels":null,"topics":null,"etag":null,"ttl":null}',
  )
  const bucket =
    '{"name":"of-null","location":null,"storageClass":null,"labels":null,"versioning":null,"cors":null,"iamConfiguration":{"publicAccessPrevention":null}}'
  await ok('POST', '/storage/v1/b?project=demo-project', bucket)
  await ok('POST', '/upload/storage/v1/b/borders/o?uploadType=media&name=part', 'bytes')
  const composed =
    '{"sourceObjects":[{"name":"part","generation":null,"objectPreconditions":null}],"destination":{"contentType":null,"metadata":null},"kind":null}'
  expect(await ok('POST', '/storage/v1/b/borders/o/whole/compose', composed)).toMatchObject({ size: '5' })
  await ok(
    'PUT',
    '/storage/v1/b/borders/iam',
    '{"bindings":[{"role":"roles/x","members":["allUsers"],"condition":null}],"etag":null,"version":null}',
  )
  const instance =
    '{"name":"n","databaseVersion":"POSTGRES_18","region":null,"settings":{"tier":"no-such","userLabels":null,"ipConfiguration":null},"masterInstanceName":null,"replicaConfiguration":null}'
  expect((await send('POST', '/sql/v1beta4/projects/demo-project/instances', instance)).text).toContain('no-such')
  const service =
    '{"metadata":{"name":"Bad","labels":null,"annotations":null},"spec":{"traffic":null,"template":{"metadata":null,"spec":{"volumes":null,"containers":[{"image":"x","env":null,"ports":null,"resources":null,"command":null}]}}}}'
  expect((await send('POST', '/apis/serving.knative.dev/v1/namespaces/demo-project/services', service)).text).toContain('\\"Bad\\"')
})

test('JSON that is too deep, too long or not UTF-8 is 400 in words', async () => {
  const targets = [
    '/v1/projects/demo-project/secrets?secretId=deep',
    '/storage/v1/b?project=demo-project',
    '/sql/v1beta4/projects/demo-project/instances',
    '/apis/serving.knative.dev/v1/namespaces/demo-project/services',
  ]
  const bodies = ['{"a":'.repeat(100_000), '['.repeat(500_000), `{"name":"${'a'.repeat(2 << 20)}"}`, '{"a":}', '"', '\u0000']
  for (const target of targets) {
    for (const body of bodies) expect([target, (await send('POST', target, body)).status]).toEqual([target, 400])
    const answer = await given.send('POST', target, { headers: json, body: Buffer.from('{"name":"\xff"}', 'latin1') })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('Invalid JSON payload received.')])
  }
})

test('S33: X-Forwarded-Host, -Proto, -For and Forwarded change no URL that is given out', async () => {
  const forged = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'evil',
    'x-forwarded-for': '192.0.2.1',
    forwarded: 'host=evil.example;proto=evil',
    'x-original-host': 'evil.example',
    'x-devcloud-batch': createHash('sha256').digest('hex'),
  }
  const batch =
    '--b\r\nContent-Type: application/http\r\n\r\nGET /storage/v1/b/borders HTTP/1.1\r\nX-Forwarded-Proto: evil\r\nX-Forwarded-Host: evil.example\r\n\r\n--b--'
  for (const [method, target, body, type] of [
    ['GET', '/storage/v1/b/borders', undefined, undefined],
    ['GET', '/storage/v1/b/borders/o', undefined, undefined],
    ['POST', '/upload/storage/v1/b/borders/o?uploadType=resumable', '{"name":"session"}', 'application/json'],
    ['POST', '/batch/storage/v1', batch, 'multipart/mixed; boundary=b'],
    ['GET', '/v1/projects/demo-project/secrets', undefined, undefined],
    ['GET', '/sql/v1beta4/projects/demo-project/instances', undefined, undefined],
    ['GET', '/apis/serving.knative.dev/v1/namespaces/demo-project/services', undefined, undefined],
  ] as const) {
    const { status, headers, text } = await send(method, target, body, { ...forged, ...(type !== undefined && { 'content-type': type }) })
    expect([target, status]).toEqual([target, 200])
    expect(`${JSON.stringify(headers)}${text}`).not.toContain('evil')
  }
})

test('S4: ten thousand random targets, Hosts and Origins leave the daemon alive and in good order', async () => {
  const { below, oneIn, pick } = seeded(fuzzSeed)
  const pieces = [
    '/',
    '//',
    '..',
    '%',
    '%00',
    '%2f',
    '%ff',
    '%E0%A4%A',
    '?',
    '&',
    '=',
    ';',
    ':',
    '*',
    '@',
    '[',
    ']',
    '\\',
    '__proto__',
    'v1',
    'v2',
    'projects',
    'b',
    'o',
    'storage',
    'é'.normalize('NFD'),
    'a'.repeat(300),
  ]
  const text = (most: number) => Array.from({ length: below(most) }, () => pick(pieces)).join('')
  const hosts = [
    'localhost',
    'storage.googleapis.com',
    'x.storage.googleapis.com',
    'run.localhost',
    '[::1]',
    '[',
    '',
    'a:b:c',
    'localhost:99999',
    '..',
    'xn--',
    '%00',
  ]
  const { hostname, port } = new URL(given.cloud.endpoint)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  const statuses = new Map<number, number>()
  const one = () =>
    new Promise<void>((resolve) => {
      const path = `/${text(8)}`.replaceAll(/[^\x21-\x7e]/g, '%C3')
      const headers = {
        host: oneIn(2) ? pick(hosts) : text(3).replaceAll(/[^\x20-\x7e]/g, ''),
        origin: text(3).replaceAll(/[^\x20-\x7e]/g, ''),
      }
      const request = http.request(
        { host: hostname, port, path, headers, agent, method: pick(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']) },
        (response) => {
          statuses.set(response.statusCode ?? 0, (statuses.get(response.statusCode ?? 0) ?? 0) + 1)
          response.resume().once('close', resolve)
        },
      )
      request.once('error', () => resolve()).end()
    })
  for (let round = 0; round < 10_000; round += 50) await Promise.all(Array.from({ length: 50 }, one))
  agent.destroy()
  expect([...statuses.keys()].filter((status) => status >= 500 || status < 200)).toEqual([])
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(9000)
  await ok('GET', '/storage/v1/b/borders')
})

type Resource = Readonly<Record<string, unknown>>

function textOf(resource: Resource, field: string): string {
  return JSON.stringify(resource[field])
}
