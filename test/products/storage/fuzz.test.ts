import { afterAll, beforeAll, expect, test } from 'vitest'
import { crc32c } from '../../../src/base/crc32c.ts'
import { fuzzRounds, fuzzSeed, mutated, seeded, type Seeded } from '../../seeded.ts'
import { givenStorage, type GivenStorage } from './given-storage.ts'
import type { Answer } from '../../api/send.ts'

let given: GivenStorage

beforeAll(async () => {
  given = await givenStorage()
})
afterAll(async () => given[Symbol.asyncDispose]())

const upload = '/upload/storage/v1/b/bucket/o'
const hostile = [
  'null', '""', '{}', '[]', '-1', '99999999999999999999', '1e999', 'true', '__proto__', 'constructor', '../..', '%00', '%ff', '%', '\0', '\r', '\n', '\r\n',
  '\r\n\r\n', '--', '--b', '\r\n--b\r\n', '\r\n--b--', ';', ':', '"', "'", '(', ')', '/', '//', '*', '?', '&', '=', '#', '\\', ' ', '\t', '😀', '\ud800',
  '\u202E', 'x'.repeat(2000), '{"a":'.repeat(60), '['.repeat(200), 'bytes 0-0/1', 'HTTP/1.1', 'GET', 'Content-Length: 5', 'alt=media', 'fields=a(b', '{a,b}',
] // prettier-ignore

/** What was stored under a name, checked against its own sums. */
async function stored(name: string): Promise<Buffer> {
  const path = `/storage/v1/b/bucket/o/${encodeURIComponent(name)}`
  const { bytes } = await given.send('GET', `${path}?alt=media`)
  const { size, crc32c: told } = (await given.send('GET', path)).json()
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32c(bytes, 0))
  expect([size, told]).toEqual([String(bytes.length), sum.toString('base64')])
  return bytes
}

const fault = ({ status, text }: Answer) => (status >= 500 ? [status, text] : undefined)

test('fuzz: multipart bodies, whole and mutated, store what the model stores or are 4xx', async () => {
  const random = seeded(fuzzSeed)
  for (let round = 0; round < fuzzRounds(400); round += 1) {
    const boundary = random.pick(['b', '===1==', "a'b()+_,-./:=?", 'x'.repeat(70)])
    const content = contentWith(random, boundary)
    const end = content.at(-1) === 0x0d ? '\r\n' : random.pick(['\r\n', '\n']) // a CR before a bare LF counts to the line's end
    const name = `m${round}`
    const body = Buffer.concat([
      Buffer.from(random.pick(['', 'preamble\r\n', '--\r\n'])),
      Buffer.from(`--${boundary}${random.pick(['', ' ', '\t'])}${end}Content-Type: application/json${end}${end}`),
      Buffer.from(`${JSON.stringify({ name, metadata: { round: `${round}` } })}${end}--${boundary}${end}`),
      Buffer.from(random.pick(['', `Content-Type: a/b${end}`, `X: ${'y'.repeat(3000)}${end}`])),
      Buffer.from(end),
      content,
      Buffer.from(`${end}--${boundary}--${random.pick(['', end, 'epilogue'])}`),
    ])
    const isMutated = random.oneIn(2)
    const sent = isMutated ? mutated(random, body, hostile) : body
    const type = `multipart/related; boundary=${random.pick(["'", '"'])}`
    const quote = type.at(-1) ?? ''
    if (boundary.includes(quote)) continue
    const answer = await given.send('POST', `${upload}?uploadType=multipart`, {
      headers: { 'content-type': `${type}${boundary}${quote}` },
      body: sent,
    })
    expect({ round, fault: fault(answer) }).toEqual({ round, fault: undefined })
    if (answer.status === 200) {
      const bytes = await stored(String(answer.json()['name']))
      if (!isMutated) expect([round, bytes.equals(content)]).toEqual([round, true])
    } else expect([round, isMutated]).toEqual([round, true])
  }
}, 120_000)

/** Bytes that look like the boundary, begin like it, and end like it. */
function contentWith(random: Seeded, boundary: string): Buffer {
  const pieces = [
    '\r\n',
    '\n',
    '\r',
    '--',
    `--${boundary}x`,
    `\r\n-${boundary}`,
    `\r\n--${boundary.slice(0, -1)}`,
    `\n--${boundary}y--`,
    '\0',
  ]
  return Buffer.concat(
    Array.from({ length: random.below(30) }, () => (random.oneIn(3) ? random.bytes(random.below(2000)) : Buffer.from(random.pick(pieces)))),
  )
}

test('fuzz: chunks of resumable uploads, in any order and with any range, end in the bytes that the model has', async () => {
  const random = seeded(fuzzSeed + 1)
  const sea = random.bytes(1_000_000)
  for (let round = 0; round < fuzzRounds(60); round += 1) {
    const from = random.below(100_000)
    const content = sea.subarray(from, from + 1 + random.below(random.pick([10, 300_000, 900_000])))
    const name = `r${round}`
    const begun = await given.send('POST', `${upload}?uploadType=resumable&name=${name}`)
    const { pathname, search } = new URL(begun.headers.location ?? '')
    let received = 0
    for (let step = 0; step < 30; step += 1) {
      const { range, body, isGap } = chunk(random, content, received)
      const answer = await given.send(random.pick(['PUT', 'POST']), pathname + search, {
        headers: { ...(range !== undefined && { 'content-range': range }), ...(random.oneIn(4) && { 'x-guploader-no-308': 'yes' }) },
        body,
      })
      const { status } = answer
      expect({ round, step, range, fault: status === 503 && isGap ? undefined : fault(answer) }).toEqual({
        round,
        step,
        range,
        fault: undefined,
      })
      const isPartial = status === 308 || answer.headers['x-http-status-code-override'] === '308'
      const told = /^bytes=0-(\d+)$/.exec(String(answer.headers['range'] ?? ''))?.[1]
      if (isPartial) {
        const now = told === undefined ? 0 : Number(told) + 1
        expect({ round, step, range, isForward: now >= received && now <= content.length }).toEqual({ round, step, range, isForward: true })
        received = now
      } else if (status === 200) {
        const { size } = answer.json()
        expect({ round, step, same: (await stored(name)).equals(content.subarray(0, Number(size))) }).toEqual({ round, step, same: true })
        break
      } else {
        const asked = await given.send('PUT', pathname + search, { headers: { 'content-range': 'bytes */*' } })
        expect([200, 308]).toContain(asked.status)
        const kept = /^bytes=0-(\d+)$/.exec(String(asked.headers['range'] ?? ''))?.[1]
        received = kept === undefined ? 0 : Number(kept) + 1
      }
    }
  }
}, 120_000)

/** The bytes are always those of their place, so that whatever is kept is right; the range may lie about how many they are. */
function chunk(random: Seeded, content: Buffer, received: number) {
  const first = random.pick([
    received,
    received,
    received,
    0,
    Math.max(0, received - random.below(300_000)),
    received + 1 + random.below(9),
  ])
  const end = Math.min(
    content.length,
    Math.max(first, random.pick([content.length, first + 262_144, first + random.below(600_000), first + 1])),
  )
  const isGap = first > received
  const body = content.subarray(Math.min(first, content.length), random.oneIn(5) ? content.length : end)
  const total = random.pick([`${content.length}`, '*', `${end}`, `${random.below(content.length + 5)}`])
  const range = random.pick([
    `bytes ${first}-${end - 1}/${total}`, `bytes ${first}-${end - 1}/${total}`, `bytes ${first}-*/*`, 'bytes */*', `bytes */${total}`,
    mutated(random, Buffer.from(`bytes ${first}-${end - 1}/${total}`), ['-', '*', '/', '9999999999999999', ' ', 'x', '']).toString('latin1').replaceAll(/[^\x20-\x7e]/g, ''),
  ]) // prettier-ignore
  if (range.startsWith('bytes *')) return { range, body: Buffer.alloc(0), isGap: false }
  const told = /(\d+)-/.exec(range)?.[1]
  const place = Number(told ?? first)
  // a mutated range names another place: its bytes are those of that place
  const honest = place === first ? body : content.subarray(Math.min(place, content.length), Math.min(content.length, place + body.length))
  return { range, body: honest, isGap: isGap || place > received }
}

test('fuzz: batches, whole and mutated, answer every call below 500', async () => {
  const random = seeded(fuzzSeed + 2)
  const calls = [
    'GET /storage/v1/b/bucket/o/m0 HTTP/1.1', 'GET /storage/v1/b/bucket?fields=name HTTP/1.1', 'DELETE /storage/v1/b/bucket/o/absent HTTP/1.1',
    'PATCH /storage/v1/b/bucket/o/m0 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"metadata":{"a":"b"}}', 'GET /storage/v1/b/bucket/o?prefix=m HTTP/1.1',
    'POST https://storage.googleapis.com/storage/v1/b/bucket/o/m0/acl HTTP/1.1\r\nContent-Length: 40\r\n\r\n{"entity":"allUsers","role":"READER"}',
    'GET /storage/v1/b/bucket/o/m0?alt=media HTTP/1.1', 'BREW /storage/v1/b HTTP/1.1', 'OPTIONS /storage/v1/b/bucket HTTP/1.1', 'GET',
  ] // prettier-ignore
  for (let round = 0; round < fuzzRounds(300); round += 1) {
    const parts = Array.from({ length: 1 + random.below(5) }, (_, at) => {
      const call = Buffer.from(random.pick(calls))
      const told = random.oneIn(2) ? mutated(random, call, hostile) : call
      return Buffer.concat([Buffer.from(`--b\r\nContent-Type: application/http\r\nContent-ID: <${at}>\r\n\r\n`), told, Buffer.from('\r\n')])
    })
    const answer = await given.send('POST', '/batch/storage/v1', {
      headers: { 'content-type': 'multipart/mixed; boundary=b' },
      body: Buffer.concat([...parts, Buffer.from('--b--')]),
    })
    const inner = [...answer.text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
    expect({ round, fault: fault(answer), inner: inner.filter((status) => status >= 500) }).toEqual({ round, fault: undefined, inner: [] })
  }
}, 120_000)

test('fuzz: paths, queries and JSON of every method, mutated, are answered below 500', async () => {
  const random = seeded(fuzzSeed + 3)
  const bucket = {
    name: 'fuzzed', location: 'US', labels: { a: 'b' }, lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 1, matchesPrefix: ['a'] } }] },
    cors: [{ origin: ['*'], method: ['GET'], maxAgeSeconds: 5 }], retentionPolicy: { retentionPeriod: '1' }, iamConfiguration: { publicAccessPrevention: 'inherited' },
    autoclass: { enabled: true }, acl: [{ entity: 'allUsers', role: 'READER' }],
  } // prettier-ignore
  const object = {
    contentType: 'a/b',
    metadata: { a: 'b' },
    customTime: '2026-01-01T00:00:00Z',
    contexts: { custom: { a: { value: 'b' } } },
  }
  const policy = {
    version: 3,
    bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'], condition: { title: 't', expression: 'e' } }],
  }
  const requests = [
    ['POST', '/storage/v1/b?project=demo&predefinedAcl=private', bucket], ['PATCH', '/storage/v1/b/bucket?projection=full', bucket],
    ['PUT', '/storage/v1/b/other?ifMetagenerationMatch=1', bucket], ['PUT', '/storage/v1/b/bucket/iam', policy], ['GET', '/storage/v1/b?project=demo&maxResults=3&pageToken=CgJhLw==', {}],
    ['GET', '/storage/v1/b/bucket/o?prefix=m&delimiter=1&startOffset=m1&endOffset=m9&matchGlob=m*{1,2}[0-9]&versions=true&fields=items(name,acl/role),prefixes&maxResults=5', {}],
    ['PATCH', '/storage/v1/b/bucket/o/m0?generation=1&ifGenerationMatch=1', object], ['PUT', '/storage/v1/b/bucket/o/m0', object],
    ['POST', '/storage/v1/b/bucket/o/c/compose', { destination: object, sourceObjects: [{ name: 'm0', generation: null }, { name: 'm1' }] }],
    ['POST', '/storage/v1/b/bucket/o/m0/rewriteTo/b/bucket/o/d?sourceGeneration=1', object], ['POST', '/storage/v1/b/bucket/o/m0/acl', { entity: 'allUsers', role: 'READER' }],
    ['PUT', '/storage/v1/b/bucket/defaultObjectAcl/allUsers', { role: 'READER' }], ['POST', '/storage/v1/b/bucket/lockRetentionPolicy?ifMetagenerationMatch=9', {}],
    ['GET', '/storage/v1/b/bucket/iam/testPermissions?permissions=storage.objects.get', {}], ['GET', '/bucket/m0?generation=1&response-content-type=a', {}],
    ['GET', '/bucket/m0?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a@b/20260101/auto/storage/goog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Expires=9&X-Goog-SignedHeaders=host&X-Goog-Signature=ab', {}],
    ['POST', '/upload/storage/v1/b/bucket/o?uploadType=resumable&name=f', object], ['GET', '/download/storage/v1/b/bucket/o/m0?alt=media', {}],
  ] as const // prettier-ignore
  const headers = [
    'range',
    'if-match',
    'if-none-match',
    'if-modified-since',
    'x-goog-if-generation-match',
    'x-goog-hash',
    'content-type',
    'accept-encoding',
  ]
  for (let round = 0; round < fuzzRounds(1500); round += 1) {
    const [verb, target, body] = random.pick(requests)
    const path = random.oneIn(2)
      ? mutated(random, Buffer.from(target), hostile)
          .toString('latin1')
          .replaceAll(/[^!-~\x80-\xff]/g, '')
      : target
    const text = Buffer.from(JSON.stringify(body))
    const more = random.oneIn(3)
      ? {
          [random.pick(headers)]: mutated(random, Buffer.from('bytes=0-5'), hostile)
            .toString('latin1')
            .replaceAll(/[^\x20-\x7e]/g, '')
            .slice(0, 500),
        }
      : {}
    const answer = await given.send(verb, path.startsWith('/') ? path : `/${path}`, {
      headers: more,
      ...(verb !== 'GET' && { body: random.oneIn(2) ? mutated(random, text, hostile) : text }),
    })
    expect({ round, verb, path, fault: fault(answer) }).toEqual({ round, verb, path, fault: undefined })
  }
}, 120_000)
