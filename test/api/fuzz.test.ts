import http2 from 'node:http2'
import net from 'node:net'
import { create, fromJson, getOption, hasOption, toBinary, type DescMethod, type JsonValue } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { http } from '../../src/api/gen/google/api/annotations_pb.ts'
import { ServiceUsage } from '../../src/api/gen/google/api/serviceusage/v1/serviceusage_pb.ts'
import { Projects } from '../../src/api/gen/google/cloud/resourcemanager/v3/projects_pb.ts'
import { Executions } from '../../src/api/gen/google/cloud/run/v2/execution_pb.ts'
import { Jobs } from '../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import { Revisions } from '../../src/api/gen/google/cloud/run/v2/revision_pb.ts'
import { Services } from '../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { Tasks } from '../../src/api/gen/google/cloud/run/v2/task_pb.ts'
import { WorkerPools } from '../../src/api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { SecretManagerService } from '../../src/api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { IAM } from '../../src/api/gen/google/iam/admin/v1/iam_pb.ts'
import { IAMCredentials } from '../../src/api/gen/google/iam/credentials/v1/iamcredentials_pb.ts'
import { Operations } from '../../src/api/gen/google/longrunning/operations_pb.ts'
import { fuzzRounds, fuzzSeed as seed, mutated, seeded, type Seeded } from '../seeded.ts'
import { givenCloud, type GivenCloud } from './given-cloud.ts'
import type { Answer } from './send.ts'
import { chance, mutatedJson, randomJson, randomMessage } from './random-json.ts'

const services = [
  SecretManagerService,
  Services,
  Revisions,
  Jobs,
  Executions,
  Tasks,
  WorkerPools,
  IAM,
  IAMCredentials,
  Projects,
  ServiceUsage,
  Operations,
]
const methods: readonly DescMethod[] = services.flatMap(({ methods: all }) => all)

let given: GivenCloud
beforeAll(async () => {
  given = await givenCloud()
  const json = { 'content-type': 'application/json' }
  const made = [
    await given.send('POST', '/storage/v1/b?project=demo-project', { body: '{"name":"fuzzed"}' }),
    await given.send('POST', '/upload/storage/v1/b/fuzzed/o?uploadType=media&name=my-name', { body: 'bytes' }),
    await given.send('POST', '/v1/projects/demo-project/secrets?secretId=my-name', {
      headers: json,
      body: '{"replication":{"automatic":{}}}',
    }),
    await given.send('POST', '/v1/projects/demo-project/serviceAccounts', { headers: json, body: '{"accountId":"my-name"}' }),
  ]
  expect(made.map(({ status }) => status)).toEqual([200, 200, 200, 200])
})
afterAll(() => given[Symbol.asyncDispose]())

function expectInOrder({ status, text, headers }: Answer, what: unknown): void {
  expect([status >= 200 && status < 500, status, text.slice(0, 300)], JSON.stringify(what)).toEqual([true, status, text.slice(0, 300)])
  if (headers['content-type']?.includes('json') !== true || text === '') return
  const body = JSON.parse(text) as { readonly error?: unknown }
  if (status >= 400 && typeof body.error === 'object')
    expect(body.error).toMatchObject({ code: status, message: expect.any(String) as string })
}

test(`fuzz ${seed}: JSON of every RPC is answered or refused, never with a fault of ours`, { timeout: 240_000 }, async () => {
  const random = seeded(seed)
  for (let round = 0; round < fuzzRounds(12); round += 1) {
    for (const method of methods) {
      if (!hasOption(method, http)) continue
      const rule = getOption(method, http)
      for (const { pattern, body } of [rule, ...rule.additionalBindings]) {
        if (pattern.case === undefined || pattern.case === 'custom') continue
        const target = randomTarget(random, pattern.value)
        const message = withoutEffects(method, randomMessage(random, method.input))
        const sent = body === '*' || body === '' ? message : (message[fieldName(method, body)] ?? {})
        const parameter = random.pick(['pageSize', 'filter', 'updateMask', 'etag', 'x', 'pageToken'])
        const more = chance(random, 0.3) ? `&${parameter}=${encodeURIComponent(String(randomJson(random)))}` : ''
        const query = `?${'validateOnly' in message && body !== '*' ? 'validateOnly=true' : ''}${more}`
        const verb = pattern.case.toUpperCase()
        const answer = await given.send(verb, `${target}${query}`, {
          headers: { 'content-type': 'application/json' },
          ...(verb !== 'GET' && { body: JSON.stringify(sent) }),
        })
        expectInOrder(answer, [method.name, verb, target, query, sent])
      }
    }
  }
})

/** Bodies that are right, for the wires that no proto describes. What would start a server or a container names none that there is. */
const wires: readonly (readonly [verb: string, target: string, body: JsonValue])[] = [
  [
    'POST',
    '/storage/v1/b?project=demo-project',
    {
      name: 'fuzzed-2',
      location: 'us',
      storageClass: 'STANDARD',
      labels: { a: 'b' },
      versioning: { enabled: true },
      lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 3, matchesPrefix: ['a'] } }] },
      cors: [{ origin: ['*'], method: ['GET'], responseHeader: ['x'], maxAgeSeconds: 3 }],
      website: { mainPageSuffix: 'i' },
      iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
      retentionPolicy: { retentionPeriod: '10' },
      acl: [{ entity: 'allUsers', role: 'READER' }],
    },
  ],
  [
    'PATCH',
    '/storage/v1/b/fuzzed',
    { labels: { a: 'b', c: null }, cors: null, lifecycle: { rule: [] }, website: null, defaultEventBasedHold: false },
  ],
  [
    'PUT',
    '/storage/v1/b/fuzzed/iam',
    {
      bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'], condition: { title: 't', expression: 'true' } }],
      etag: 'CAE=',
      version: 3,
    },
  ],
  [
    'PATCH',
    '/storage/v1/b/fuzzed/o/my-name',
    {
      metadata: { a: 'b' },
      contentType: 'text/plain',
      customTime: '2026-01-01T00:00:00Z',
      temporaryHold: false,
      retention: { mode: 'Unlocked', retainUntilTime: '2026-01-01T00:00:00Z' },
      acl: [{ entity: 'user-a@b.example', role: 'OWNER' }],
    },
  ],
  [
    'POST',
    '/storage/v1/b/fuzzed/o/whole/compose',
    {
      sourceObjects: [{ name: 'my-name', generation: '1', objectPreconditions: { ifGenerationMatch: '1' } }],
      destination: { contentType: 'a/b' },
    },
  ],
  ['POST', '/storage/v1/b/fuzzed/o/my-name/rewriteTo/b/fuzzed/o/copy?maxBytesRewrittenPerCall=1048576', { metadata: { a: 'b' } }],
  ['POST', '/storage/v1/b/fuzzed/acl', { entity: 'user-a@b.example', role: 'READER' }],
  [
    'POST',
    '/upload/storage/v1/b/fuzzed/o?uploadType=resumable',
    { name: 'session', contentType: 'a/b', metadata: { a: 'b' }, crc32c: 'AAAAAA==' },
  ],
  [
    'POST',
    '/sql/v1beta4/projects/demo-project/instances',
    {
      name: 'a',
      databaseVersion: 'POSTGRES_18',
      region: 'us-central1',
      settings: {
        tier: 'no-such',
        databaseFlags: [{ name: 'max_connections', value: '100' }],
        userLabels: { a: 'b' },
        ipConfiguration: { ipv4Enabled: true, authorizedNetworks: [{ value: '10.0.0.0/8' }] },
        backupConfiguration: { enabled: true, startTime: '12:00' },
        dataDiskSizeGb: '10',
      },
    },
  ],
  [
    'PATCH',
    '/sql/v1beta4/projects/demo-project/instances/a',
    { settings: { settingsVersion: '1', tier: 'db-f1-micro', userLabels: null } },
  ],
  ['POST', '/sql/v1beta4/projects/demo-project/instances/a/databases', { name: 'd', charset: 'UTF8', collation: 'en_US.UTF8' }],
  ['POST', '/sql/v1beta4/projects/demo-project/instances/a/users', { name: 'u', password: 'p', type: 'BUILT_IN' }],
  [
    'POST',
    '/apis/serving.knative.dev/v1/namespaces/demo-project/services?dryRun=all',
    {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: {
        name: 's',
        namespace: 'demo-project',
        labels: { a: 'b' },
        annotations: { 'run.googleapis.com/ingress': 'all', 'run.googleapis.com/client-name': 'x' },
      },
      spec: {
        template: {
          metadata: {
            name: 's-1',
            annotations: { 'autoscaling.knative.dev/maxScale': '3', 'run.googleapis.com/container-dependencies': '{"a":["b"]}' },
          },
          spec: {
            containerConcurrency: 80,
            timeoutSeconds: 300,
            serviceAccountName: 'a@b.example',
            containers: [
              {
                name: 'a',
                image: 'x',
                env: [
                  { name: 'A', value: 'b' },
                  { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: '1' } } },
                ],
                ports: [{ name: 'h2c', containerPort: 8080 }],
                resources: { limits: { cpu: '1000m', memory: '512Mi' } },
                startupProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 3 },
                volumeMounts: [{ name: 'v', mountPath: '/v' }],
              },
            ],
            volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
          },
        },
        traffic: [{ percent: 100, latestRevision: true, tag: 't' }],
      },
    },
  ],
  [
    'POST',
    '/apis/run.googleapis.com/v1/namespaces/demo-project/jobs?dryRun=all',
    {
      apiVersion: 'run.googleapis.com/v1',
      kind: 'Job',
      metadata: { name: 'j' },
      spec: {
        template: {
          spec: {
            taskCount: 2,
            parallelism: 1,
            template: { spec: { maxRetries: 1, timeoutSeconds: '600', containers: [{ image: 'x', args: ['a'] }] } },
          },
        },
      },
    },
  ],
  [
    'POST',
    '/apis/run.googleapis.com/v1/namespaces/demo-project/workerpools?dryRun=all',
    {
      apiVersion: 'run.googleapis.com/v1',
      kind: 'WorkerPool',
      metadata: { name: 'w' },
      spec: { template: { spec: { containers: [{ image: 'x' }] } }, instanceSplits: [{ percent: 100, latestRevision: true }] },
    },
  ],
  ['POST', '/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'c' }],
  [
    'POST',
    '/v1/projects/-/serviceAccounts/my-name@demo-project.iam.gserviceaccount.com:generateIdToken',
    { audience: 'a', includeEmail: 'true', delegates: ['x'] },
  ],
]

test(`fuzz ${seed}: right bodies of Storage, SQL, Run v1 and OAuth, mutated, are answered or refused`, { timeout: 240_000 }, async () => {
  const random = seeded(seed)
  for (let round = 0; round < fuzzRounds(60); round += 1) {
    for (const [verb, target, right] of wires) {
      const sent = mutatedJson(random, right)
      const answer = await given.send(verb, target, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent) })
      expectInOrder(answer, [verb, target, sent])
    }
  }
})

test(`fuzz ${seed}: queries of lists and reads are answered or refused`, { timeout: 240_000 }, async () => {
  const random = seeded(seed)
  const targets = [
    '/storage/v1/b/fuzzed/o',
    '/storage/v1/b',
    '/storage/v1/b/fuzzed',
    '/storage/v1/b/fuzzed/o/my-name',
    '/sql/v1beta4/projects/demo-project/instances',
    '/sql/v1beta4/projects/demo-project/operations',
    '/v1/projects/demo-project/secrets',
    '/v2/projects/demo-project/locations/us-central1/services',
    '/apis/serving.knative.dev/v1/namespaces/demo-project/services',
    '/v1/projects',
    '/fuzzed/my-name',
    '/fuzzed',
  ]
  const names = [
    'project',
    'prefix',
    'delimiter',
    'pageToken',
    'maxResults',
    'pageSize',
    'filter',
    'fields',
    'matchGlob',
    'projection',
    'versions',
    'generation',
    'ifGenerationMatch',
    'startOffset',
    'endOffset',
    'alt',
    'labelSelector',
    'limit',
    'continue',
    'list-type',
    'marker',
    'max-keys',
    'acl',
    'uploads',
    'X-Goog-Signature',
    'Expires',
    'softDeleted',
    'includeFoldersAsPrefixes',
    '$alt',
    'prettyPrint',
    'userProject',
  ]
  for (let round = 0; round < fuzzRounds(1500); round += 1) {
    const query = Array.from(
      { length: 1 + random.below(4) },
      () => `${random.pick(names)}=${encodeURIComponent(String(randomJson(random)))}`,
    ).join('&')
    const target = `${random.pick(targets)}?${query}`
    const headers = chance(random, 0.3) ? { range: `bytes=${random.pick(['0-', '-1', '9-1', 'a', '0-0,1-1'])}` } : {}
    expectInOrder(await given.send(random.pick(['GET', 'GET', 'HEAD', 'OPTIONS']), target, { headers }), target)
  }
})

test(`fuzz ${seed}: frames of gRPC, right, mutated and torn, end each call and leave the connection`, { timeout: 120_000 }, async () => {
  const random = seeded(seed)
  const session = http2.connect(given.cloud.endpoint)
  session.on('error', () => {})
  for (let round = 0; round < fuzzRounds(1500); round += 1) {
    const method = random.pick(methods)
    const [frame, isWhole] = randomFrame(random, method)
    const code = await callGrpc(session, method, frame)
    expect(code, `${method.name} ${frame.toString('hex').slice(0, 200)}`).toBeDefined()
    if (isWhole)
      expect([method.name, frame.toString('base64'), code]).not.toEqual([
        method.name,
        frame.toString('base64'),
        expect.stringMatching(/^(2|13)$/),
      ])
  }
  expect(session.destroyed).toBe(false)
  session.close()
})

test(`fuzz ${seed}: heads of HTTP at the gateway are answered or end, and the daemon goes on`, { timeout: 120_000 }, async () => {
  const random = seeded(seed)
  const { port } = new URL(given.cloud.endpoint)
  for (let round = 0; round < fuzzRounds(60); round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => sendRaw(Number(port), randomHead(random))))
    for (const answer of answers) if (answer !== '') expect(answer).toMatch(/^(HTTP\/1\.1 [1-4]\d\d |\u0000)/) // or a frame of HTTP/2, or an alert of TLS
  }
  expect((await given.send('GET', '/storage/v1/b/fuzzed')).status).toBe(200)
})

/** Nothing that is sent may start a container or a server. */
function withoutEffects({ input }: DescMethod, value: JsonValue): Readonly<Record<string, JsonValue>> {
  const canValidate = input.fields.some(({ jsonName }) => jsonName === 'validateOnly')
  return { ...(value as Record<string, JsonValue>), ...(canValidate && { validateOnly: true }) }
}

function fieldName(method: DescMethod, name: string): string {
  return method.input.fields.find((field) => field.name === name)?.jsonName ?? name
}

/** `/v1/{name=projects/*\/secrets/*}:access` with something in each place. */
function randomTarget(random: Seeded, template: string): string {
  const places = [
    'demo-project',
    'demo-project',
    'us-central1',
    'my-name',
    'my-name',
    '-',
    'latest',
    '1',
    'A',
    '..',
    '%2e%2e',
    'x%20y',
    'a:b',
    'é',
    'a'.repeat(64),
    'my-name@demo-project.iam.gserviceaccount.com',
  ]
  const path = template.replaceAll(/\{[^}=]+=([^}]*)\}|\{[^}]+\}/g, (_all, pattern: string | undefined) => pattern ?? '*')
  return path
    .replaceAll('projects/*', () => `projects/${chance(random, 0.9) ? 'demo-project' : encodeURI(random.pick(places))}`)
    .replaceAll('locations/*', () => `locations/${chance(random, 0.9) ? 'us-central1' : encodeURI(random.pick(places))}`)
    .replaceAll(/\*\*|\*/g, () => encodeURI(random.pick(places)))
}

/** @returns whether it is one whole frame of a message that can be read */
function randomFrame(random: Seeded, method: DescMethod): readonly [Buffer, boolean] {
  const right = binaryOf(method, withoutEffects(method, randomMessage(random, method.input)))
  const isRight = chance(random, 0.5)
  const message = isRight ? Buffer.from(right) : mutated(random, Buffer.from(right), hostile)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  const frame = Buffer.concat([head, message])
  const kind = random.below(10)
  if (kind === 0) return [frame.subarray(0, random.below(frame.length + 1)), false]
  if (kind === 1) return [Buffer.concat([frame, frame]), false]
  if (kind === 2) return [Buffer.concat([Buffer.from([1]), frame.subarray(1)]), false]
  if (kind === 3) return [Buffer.concat([Buffer.from([0, 255, 255, 255, 255]), message]), false]
  if (kind === 4) return [random.bytes(random.below(64)), false]
  return [frame, isRight]
}

/** Parts of messages that promise more than there is. */
const hostile = [
  '\u000a\u007f',
  '\u0012\u0000',
  '\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0001',
  '\u000b',
  '\u0000',
  '\u001a\u0002\u001a\u0000',
]

function binaryOf({ input }: DescMethod, json: JsonValue): Uint8Array {
  try {
    return toBinary(input, fromJson(input, json))
  } catch {
    return toBinary(input, create(input)) // what no message can say
  }
}

function callGrpc(session: http2.ClientHttp2Session, method: DescMethod, frame: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${method.parent.typeName}/${method.name}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let code: string | undefined
    const take = (headers: http2.IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) code = String(headers['grpc-status'])
    }
    stream.on('response', take).on('trailers', take).on('error', () => {}).on('close', () => resolve(code)).resume().end(frame) // prettier-ignore
  })
}

const lines = [
  'Host: localhost',
  'Host: storage.googleapis.com',
  'Host:',
  'Host: a, b',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 5, 5',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding:\tchunked',
  'Expect: 100-continue',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  ': empty',
  'no colon',
  'a\u0000b: c',
  ' folded',
  'X: \u0001',
  'X: é',
  'Authorization: Bearer',
  'Content-Encoding: gzip',
  'Content-Type: application/grpc',
  'Connection: close',
  'Origin: null',
  '__proto__: x',
  'X-HTTP-Method-Override: TRACE',
]
const firsts = [
  'GET / HTTP/1.1',
  'GET /storage/v1/b/fuzzed HTTP/1.1',
  'POST /v1/projects/demo-project/secrets HTTP/1.1',
  'PUT /upload/storage/v1/b/fuzzed/o HTTP/1.1',
  'TRACE / HTTP/1.1',
  'CONNECT localhost:443 HTTP/1.1',
  'CONNECT  HTTP/1.1',
  'GET http://localhost/ HTTP/1.1',
  'GET * HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET / HTTP/9.9',
  'GET /',
  'GET  / HTTP/1.1',
  'get / http/1.1',
  'PRI * HTTP/2.0',
  '\u0016\u0003\u0001',
  'GET /\u0000 HTTP/1.1',
  `GET /${'a'.repeat(70_000)} HTTP/1.1`,
  '',
]

function randomHead(random: Seeded): Buffer {
  const end = random.pick(['\r\n', '\r\n', '\r\n', '\n', '\r'])
  const head = [random.pick(firsts), ...Array.from({ length: random.below(6) }, () => random.pick(lines))].join(end)
  const body = random.pick(['', '', '5\r\nhello\r\n0\r\n\r\n', 'hello', 'zz\r\n', '{"a":1}'])
  const bytes = Buffer.from(`${head}${end}${chance(random, 0.9) ? end : ''}${body}`, 'latin1')
  if (chance(random, 0.2)) bytes[random.below(bytes.length)] = random.below(256)
  return bytes
}

/** What comes back until the other end closes, or for a fifth of a second. */
function sendRaw(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    let text = ''
    const timer = setTimeout(() => socket.destroy(), 200)
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => {}).once('close', () => {
      clearTimeout(timer)
      resolve(text)
    }).end(bytes) // prettier-ignore
  })
}
