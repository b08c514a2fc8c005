import { gzipSync } from 'node:zlib'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SecretSchema } from '../../src/api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { CreateSecretRequestSchema, UpdateSecretRequestSchema } from '../../src/api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { expectShortTurns, longestTurn } from '../loop-watchdog.ts'
import { givenCloud, type GivenCloud } from './given-cloud.ts'
import type { SendOptions } from './send.ts'

let given: GivenCloud
beforeAll(async () => {
  given = await givenCloud()
  await given.send('POST', '/storage/v1/b?project=demo-project', { body: '{"name":"costly"}' })
  await given.send('POST', '/v1/projects/demo-project/secrets?secretId=costly', { headers: json, body: '{"replication":{"automatic":{}}}' })
})
afterAll(() => given[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))
const map = (count: number) => Object.fromEntries(many(count, (index) => [`key-${index}`, 'v']))
const text = (value: unknown) => JSON.stringify(value)

const secrets = '/v1/projects/demo-project/secrets'
const services = '/v2/projects/demo-project/locations/us-central1/services'
const jobs = '/v2/projects/demo-project/locations/us-central1/jobs'
const pools = '/v2/projects/demo-project/locations/us-central1/workerPools'
const knative = '/apis/serving.knative.dev/v1/namespaces/demo-project/services'
const instances = '/sql/v1beta4/projects/demo-project/instances'
const accounts = '/v1/projects/demo-project/serviceAccounts'
const objects = '/storage/v1/b/costly/o'
const manager = { host: 'cloudresourcemanager.googleapis.com' }

const env = many(1400, (index) => ({ name: `E${index}`, value: 'v' }))
const template = { containers: [{ image: 'x', env }] }
const deep = (depth: number, of: string) => `${`{"${of}":`.repeat(depth)}1${'}'.repeat(depth)}`
const long = 'a'.repeat(15_000)
const stars = '*'.repeat(15_000)
const open = '('.repeat(15_000)

/** Each as large as the border lets it in, and of a shape that costs most. The answer may be any, and comes without holding the loop. */
const cases: readonly (readonly [what: string, method: string, target: string, options?: SendOptions])[] = [
  ['a list of secrets with a filter of parentheses', 'GET', `${secrets}?filter=${open}`],
  ['a list of secrets with a filter of terms', 'GET', `${secrets}?filter=${'name:a%20OR%20'.repeat(1000)}name:b`],
  ['a list of secrets with a filter of negations', 'GET', `${secrets}?filter=${'NOT%20'.repeat(2500)}name:b`],
  ['a list of secrets with a filter of stars', 'GET', `${secrets}?filter=name:${'*a'.repeat(7000)}`],
  ['a list of secrets with a page token', 'GET', `${secrets}?pageToken=${long}`],
  ['a list with a parameter many times', 'GET', `${secrets}?${'pageSize=1&'.repeat(1300)}`],
  ['a list with many parameters', 'GET', `${secrets}?${many(1500, (index) => `k${index}=1`).join('&')}`],
  [
    'a mask of many paths',
    'PATCH',
    `${secrets}/costly?updateMask=${'labels.a,'.repeat(1600)}labels`,
    { headers: json, body: text({ labels: map(2900) }) },
  ],
  ['a mask of a deep path', 'PATCH', `${secrets}/costly?updateMask=${'a.'.repeat(7000)}a`, { headers: json, body: '{}' }],
  ['a mask of a deep key', 'PATCH', `${secrets}/costly?updateMask=labels.${'a.'.repeat(7000)}a`, { headers: json, body: '{}' }],
  [
    'a secret of many labels',
    'POST',
    `${secrets}?secretId=a`,
    { headers: json, body: text({ labels: map(2900), replication: { automatic: {} } }) },
  ],
  [
    'a secret of a long label',
    'POST',
    `${secrets}?secretId=a`,
    { headers: json, body: text({ labels: { [long.repeat(30)]: long.repeat(30) } }) },
  ],
  [
    'a payload of a megabyte',
    'POST',
    `${secrets}/costly:addVersion`,
    { headers: json, body: text({ payload: { data: 'AAAA'.repeat(250_000) } }) },
  ],
  ['JSON of a megabyte of escapes', 'POST', `${secrets}?secretId=a`, { headers: json, body: `{"etag":"${'\\u0041'.repeat(170_000)}"}` }],
  [
    'JSON of a megabyte of escapes of half characters',
    'POST',
    `${secrets}?secretId=a`,
    { headers: json, body: `{"etag":"${'\\ud83d\\ude00'.repeat(85_000)}"}` },
  ],
  ['JSON of a megabyte of spaces', 'POST', `${secrets}?secretId=a`, { headers: json, body: `${' '.repeat(1_040_000)}{}` }],
  ['JSON of a megabyte of commas', 'POST', `${secrets}?secretId=a`, { headers: json, body: `[${'0,'.repeat(500_000)}0]` }],
  ['JSON of many unknown fields', 'POST', `${secrets}?secretId=a`, { headers: json, body: text(map(2900)) }],
  ['JSON that is deep', 'POST', `${secrets}?secretId=a`, { headers: json, body: deep(99, 'replication') }],
  [
    'a megabyte packed in a kilobyte',
    'POST',
    `${secrets}?secretId=a`,
    { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(30 << 20, ' ')) },
  ],
  [
    'a policy of many members',
    'POST',
    `${secrets}/costly:setIamPolicy`,
    {
      headers: json,
      body: text({ policy: { bindings: [{ role: 'roles/viewer', members: many(2900, (index) => `user:a${index}@b.example`) }] } }),
    },
  ],
  [
    'a policy of many bindings',
    'POST',
    `${secrets}/costly:setIamPolicy`,
    { headers: json, body: text({ policy: { bindings: many(1400, (index) => ({ role: `roles/r${index}`, members: ['allUsers'] })) } }) },
  ],
  [
    'permissions to test',
    'POST',
    `${secrets}/costly:testIamPermissions`,
    { headers: json, body: text({ permissions: many(2900, (index) => `a.b.c${index}`) }) },
  ],
  ['a service of many variables', 'POST', `${services}?serviceId=a&validateOnly=true`, { headers: json, body: text({ template }) }],
  [
    'a service of many containers',
    'POST',
    `${services}?serviceId=a&validateOnly=true`,
    {
      headers: json,
      body: text({ template: { containers: many(900, (index) => ({ name: `c${index}`, image: 'x', dependsOn: [`c${index + 1}`] })) } }),
    },
  ],
  [
    'a service of many volumes',
    'POST',
    `${services}?serviceId=a&validateOnly=true`,
    {
      headers: json,
      body: text({
        template: {
          containers: [{ image: 'x', volumeMounts: many(700, (index) => ({ name: `v${index}`, mountPath: `/m/${index}` })) }],
          volumes: many(700, (index) => ({ name: `v${index}`, emptyDir: {} })),
        },
      }),
    },
  ],
  [
    'a service of many targets',
    'POST',
    `${services}?serviceId=a&validateOnly=true`,
    {
      headers: json,
      body: text({
        template: { containers: [{ image: 'x' }] },
        traffic: many(900, (index) => ({ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: `a-${index}`, tag: `t${index}` })),
      }),
    },
  ],
  [
    'a service of many annotations',
    'POST',
    `${services}?serviceId=a&validateOnly=true`,
    { headers: json, body: text({ annotations: map(2900), template: { containers: [{ image: 'x' }] } }) },
  ],
  ['a job of many variables', 'POST', `${jobs}?jobId=a&validateOnly=true`, { headers: json, body: text({ template: { template } }) }],
  ['a worker pool of many variables', 'POST', `${pools}?workerPoolId=a&validateOnly=true`, { headers: json, body: text({ template }) }],
  [
    'a service of version 1 of many variables',
    'POST',
    `${knative}?dryRun=all`,
    { headers: json, body: text({ metadata: { name: 'a' }, spec: { template: { spec: { containers: [{ image: 'x', env }] } } } }) },
  ],
  [
    'a service of version 1 of many annotations',
    'POST',
    `${knative}?dryRun=all`,
    {
      headers: json,
      body: text({
        metadata: { name: 'a', annotations: map(1400), labels: map(1400) },
        spec: { template: { spec: { containers: [{ image: 'x' }] } } },
      }),
    },
  ],
  ['a selector of parentheses', 'GET', `${knative}?labelSelector=${'a('.repeat(7500)}`],
  ['a selector of spaces', 'GET', `${knative}?labelSelector=a%20in%20${'%20'.repeat(4500)}b`],
  ['a selector of parts', 'GET', `${knative}?labelSelector=${'a=b,'.repeat(3500)}a=b`],
  ['a token to go on of version 1', 'GET', `${knative}?continue=${long}`],
  [
    'an instance of many flags',
    'POST',
    instances,
    {
      headers: json,
      body: text({
        name: 'a',
        databaseVersion: 'POSTGRES_18',
        settings: { tier: 'db-f1-micro', databaseFlags: many(1400, (index) => ({ name: `f${index}`, value: 'on' })) },
      }),
    },
  ],
  [
    'an instance of many labels',
    'POST',
    instances,
    { headers: json, body: text({ name: 'a', databaseVersion: 'POSTGRES_18', settings: { tier: 'no-such', userLabels: map(2900) } }) },
  ],
  ['a list of instances with a filter', 'GET', `${instances}?filter=${open}`],
  ['a list of instances with a page token', 'GET', `${instances}?pageToken=${long}`],
  ['a user of a long name', 'DELETE', `${instances}/a/users?name=${long}`],
  [
    'an account of a long description',
    'POST',
    accounts,
    { headers: json, body: text({ accountId: 'robot-1', serviceAccount: { description: long.repeat(60) } }) },
  ],
  ['an account that has a long name', 'GET', `${accounts}/${'a'.repeat(7000)}@demo-project.iam.gserviceaccount.com`],
  ['an account of many ats', 'GET', `${accounts}/${'a%40'.repeat(2000)}`],
  ['a list of projects with a filter', 'GET', `/v1/projects?filter=${open}`, { headers: manager }],
  ['a list of projects with a filter of terms', 'GET', `/v1/projects?filter=${'id:a%20'.repeat(2000)}`, { headers: manager }],
  ['a form of many fields', 'POST', '/token', { headers: form, body: many(10_000, (index) => `k${index}=1`).join('&') }],
  ['a form of ampersands', 'POST', '/token', { headers: form, body: '&'.repeat(60_000) }],
  [
    'an assertion of dots',
    'POST',
    '/token',
    { headers: form, body: `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${'.'.repeat(60_000)}` },
  ],
  [
    'an assertion of a deep claim',
    'POST',
    '/token',
    {
      headers: form,
      body: `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${Buffer.from('{"a":'.repeat(9000)).toString('base64url')}.${Buffer.from('['.repeat(30_000)).toString('base64url')}.x`,
    },
  ],
  ['a token of 60 KB', 'GET', secrets, { headers: { authorization: `Bearer ${'a.'.repeat(30_000)}` } }],
  ['a token of spaces', 'GET', secrets, { headers: { authorization: `Bearer${' '.repeat(60_000)}a` } }],
  ['a list of objects with a glob of stars', 'GET', `${objects}?matchGlob=${stars}`],
  ['a list of objects with a glob of braces', 'GET', `${objects}?matchGlob=${'{a,'.repeat(4000)}`],
  ['a list of objects with a glob of classes', 'GET', `${objects}?matchGlob=${'[a-z'.repeat(3500)}`],
  ['a partial response of parentheses', 'GET', `${objects}?fields=${'a('.repeat(7000)}`],
  ['a partial response of slashes', 'GET', `${objects}?fields=${'a/'.repeat(7000)}a`],
  ['a partial response of commas', 'GET', `${objects}?fields=${'a,'.repeat(7000)}a`],
  ['a list of objects with a prefix', 'GET', `${objects}?prefix=${long}&delimiter=${'a'.repeat(500)}`],
  ['a bucket of many labels', 'PATCH', '/storage/v1/b/costly', { headers: json, body: text({ labels: map(2900) }) }],
  [
    'a bucket of many rules',
    'PATCH',
    '/storage/v1/b/costly',
    {
      headers: json,
      body: text({
        lifecycle: { rule: many(700, () => ({ action: { type: 'Delete' }, condition: { age: 1, matchesPrefix: ['a', 'b'] } })) },
      }),
    },
  ],
  [
    'a bucket of many origins',
    'PATCH',
    '/storage/v1/b/costly',
    { headers: json, body: text({ cors: many(900, () => ({ origin: ['*'], method: ['*'], responseHeader: ['*'] })) }) },
  ],
  [
    'a policy of a bucket',
    'PUT',
    '/storage/v1/b/costly/iam',
    { headers: json, body: text({ bindings: many(1400, (index) => ({ role: `roles/r${index}`, members: ['allUsers'] })) }) },
  ],
  [
    'lists of access',
    'PATCH',
    '/storage/v1/b/costly',
    { headers: json, body: text({ acl: many(1400, (index) => ({ entity: `user-a${index}@b.example`, role: 'READER' })) }) },
  ],
  [
    'a composition of many',
    'POST',
    `${objects}/a/compose`,
    { headers: json, body: text({ sourceObjects: many(2900, (index) => ({ name: `s${index}` })) }) },
  ],
  [
    'a boundary that is nearly met',
    'POST',
    '/upload/storage/v1/b/costly/o?uploadType=multipart',
    {
      headers: { 'content-type': `multipart/related; boundary=${'a'.repeat(200)}` },
      body: `--${'a'.repeat(200)}\r\n\r\n{"name":"o"}\r\n--${'a'.repeat(200)}\r\n\r\n${`\n--${'a'.repeat(199)}`.repeat(9000)}`,
    },
  ],
  [
    'a batch of nothing',
    'POST',
    '/batch/storage/v1',
    { headers: { 'content-type': 'multipart/mixed; boundary=b' }, body: '--b\r\n\r\n'.repeat(3000) },
  ],
  [
    'a batch of calls',
    'POST',
    '/batch/storage/v1',
    {
      headers: { 'content-type': 'multipart/mixed; boundary=b' },
      body: `${'--b\r\n\r\nGET /storage/v1/b/costly HTTP/1.1\r\n\r\n'.repeat(100)}--b--`,
    },
  ],
  [
    'a checksum of 60 KB',
    'POST',
    '/upload/storage/v1/b/costly/o?uploadType=media&name=o',
    { headers: { 'x-goog-hash': 'crc32c='.repeat(8000) }, body: 'x' },
  ],
  ['a range of 60 KB', 'GET', `${objects}/a?alt=media`, { headers: { range: `bytes=${'1-2,'.repeat(15_000)}` } }],
  ['entity tags of 60 KB', 'GET', `${objects}/a`, { headers: { 'if-none-match': '"a",'.repeat(15_000) } }],
  ['codings of 60 KB', 'GET', `${objects}/a?alt=media`, { headers: { 'accept-encoding': 'gzip;q=0,'.repeat(6500) } }],
  ['a signature of 15 KB', 'GET', `/costly/a?X-Goog-Signature=${long}&X-Goog-SignedHeaders=${'host;'.repeat(100)}`],
  ['a path of slashes', 'GET', `/${'/'.repeat(15_000)}`],
  ['a path of segments', 'GET', `/v1/${'a/'.repeat(7000)}`],
  ['a path of colons', 'GET', `/v1/projects/demo-project/${':'.repeat(15_000)}`],
  ['a path of escapes', 'GET', `/v1/projects/${'%41'.repeat(5000)}`],
  ['a media type of 60 KB', 'POST', secrets, { headers: { 'content-type': `a/b${';a="'.repeat(15_000)}` }, body: '{}' }],
  ['a method that is named in a header', 'POST', secrets, { headers: { 'x-http-method-override': 'A'.repeat(60_000) } }],
]

for (const [what, method, target, options] of cases) {
  test(`S25: ${what} does not hold the loop`, { timeout: 60_000 }, async () => {
    let answered = 0
    await expectShortTurns(what, async () => {
      answered = (await given.send(method, target, options)).status
    })
    expect([answered < 500, answered]).toEqual([true, answered])
  })
}

/** Each just below the largest message. */
const messages: readonly (readonly [what: string, method: string, bytes: () => Uint8Array])[] = [
  ['a secret of many labels', 'CreateSecret', () => ofSecret({ labels: map(11_000) })],
  ['a secret of many topics', 'CreateSecret', () => ofSecret({ topics: many(30_000, () => ({ name: '' })) })],
  ['a mask of many paths', 'UpdateSecret', () => ofMask(many(25_000, () => 'labels.a'))],
  ['a mask of many words', 'UpdateSecret', () => ofMask(['a.'.repeat(125_000)])],
  ['an etag of a quarter of a megabyte', 'CreateSecret', () => ofSecret({ etag: 'a'.repeat(250_000) })],
  [
    'a name of a quarter of a megabyte',
    'CreateSecret',
    () => toBinary(CreateSecretRequestSchema, create(CreateSecretRequestSchema, { parent: `projects/${'a/'.repeat(125_000)}` })),
  ],
]

test.each(messages)('S25: over gRPC %s does not hold the loop', { timeout: 60_000 }, async (what, method, bytes) => {
  const client = new Client(given.cloud.endpoint.replace('http://', ''), credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 })
  const same = (value: Buffer) => value
  const sent = Buffer.from(bytes())
  expect(sent.length).toBeLessThan(256 << 10)
  let code: number | undefined
  await expectShortTurns(what, async () => {
    code = await new Promise((resolve) => {
      const path = `/google.cloud.secretmanager.v1.SecretManagerService/${method}`
      client.makeUnaryRequest(path, same, same, sent, new Metadata(), (error) => resolve(error?.code))
    })
  })
  client.close()
  expect([status.INTERNAL, status.UNKNOWN, status.UNAVAILABLE, undefined]).not.toContain(code)
})

function ofSecret(secret: MessageInitShape<typeof SecretSchema>): Uint8Array {
  return toBinary(CreateSecretRequestSchema, create(CreateSecretRequestSchema, { parent: 'projects/demo-project', secretId: 'a', secret }))
}

function ofMask(paths: string[]): Uint8Array {
  const secret = { name: 'projects/demo-project/secrets/costly' }
  return toBinary(UpdateSecretRequestSchema, create(UpdateSecretRequestSchema, { secret, updateMask: { paths } }))
}

test('the watchdog sees who holds the loop', async () => {
  const spin = async () => {
    let sum = 0
    for (let round = 0; round < 200_000_000; round += 1) sum += Math.sqrt(round)
    expect(sum).toBeGreaterThan(0)
  }
  expect(await longestTurn(spin)).toBeGreaterThan(20)
  await expect(expectShortTurns('a loop', spin)).rejects.toThrow(/^a loop held the loop for \d+ ms\. /)
})
