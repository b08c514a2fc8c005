import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { toBinary, create } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ListSecretsRequestSchema } from '../../src/api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { checkProject, checkRegion } from '../../src/api/names.ts'
import { givenCloud, type GivenCloud } from './given-cloud.ts'

let given: GivenCloud
beforeAll(async () => void (given = await givenCloud()))
afterAll(() => given[Symbol.asyncDispose]())

const good = [
  'guestbook',
  'my-shop-2',
  'a23456',
  'a'.repeat(30),
  'example.com:proj-1',
  'sub.example.co.uk:shop12',
  '123456789012',
  'demo',
  'a',
]
const bad = [
  '..',
  '.',
  '-',
  'a b',
  'P',
  'Shop',
  'a-',
  '-a',
  '1ab',
  'a_b',
  'a.b',
  'a'.repeat(31),
  'é',
  'a\u0000',
  '$(id)',
  '0123',
  'example.com:',
  ':a',
  'EXAMPLE.com:a',
  '~',
  '*',
]

test.each(good)('%s is a project of somebody', (id) => expect(() => checkProject(id)).not.toThrow())
test.each(bad)('%j is no project', (id) => expect(() => checkProject(id)).toThrow(/^Invalid project id/))

test('every API refuses what can be no project, and keeps nothing of it', async () => {
  for (const id of bad) {
    const part = encodeURIComponent(id)
      .replaceAll('*', '%2A')
      .replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length))
    const service = '{"template":{"containers":[{"image":"x"}]}}'
    const knative = '{"metadata":{"name":"s"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}'
    for (const [method, target, body] of [
      ['GET', `/v1/projects/${part}/secrets`, undefined],
      ['POST', `/v1/projects/${part}/secrets?secretId=s`, '{"replication":{"automatic":{}}}'],
      ['POST', `/v2/projects/${part}/locations/us-central1/services?serviceId=s`, service],
      ['POST', `/v2/projects/${part}/locations/us-central1/jobs?jobId=s`, '{"template":{"template":{"containers":[{"image":"x"}]}}}'],
      ['POST', `/apis/serving.knative.dev/v1/namespaces/${part}/services`, knative],
      ['POST', `/storage/v1/b?project=${part}`, '{"name":"of-nobody"}'],
      ['GET', `/storage/v1/b?project=${part}`, undefined],
      ['GET', `/sql/v1beta4/projects/${part}/instances`, undefined],
      ['POST', `/sql/v1beta4/projects/${part}/instances`, '{"name":"a","settings":{"tier":"db-f1-micro"}}'],
      ['POST', `/v1/projects/${part}/serviceAccounts`, '{"accountId":"robot-1"}'],
      ['POST', `/v1/projects/${part}:setIamPolicy`, '{"policy":{}}'],
      ['GET', `/v3/projects/${part}`, undefined],
    ] as const) {
      const answer = await given.send(method, target, {
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      })
      expect([method, target, answer.status], answer.text).toEqual([method, target, 400])
    }
  }
  const { text } = await given.send('GET', '/v1/projects', {
    headers: { host: 'cloudresourcemanager.googleapis.com', authorization: 'Bearer x' },
  })
  expect(text).not.toMatch(/"projectId"/)
})

test('gRPC refuses it in the same words', async () => {
  const client = new Client(given.cloud.endpoint.replace('http://', ''), credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 })
  const bytes = Buffer.from(toBinary(ListSecretsRequestSchema, create(ListSecretsRequestSchema, { parent: 'projects/a b' })))
  const same = (value: Buffer) => value
  const error = await new Promise((resolve) => {
    client.makeUnaryRequest('/google.cloud.secretmanager.v1.SecretManagerService/ListSecrets', same, same, bytes, new Metadata(), resolve)
  })
  client.close()
  expect(error).toMatchObject({ code: 3, details: 'Invalid project id "a b".' })
})

test('a location that Google does not have is refused by name, with the one that is probably meant', async () => {
  expect(() => checkRegion('us-central1')).not.toThrow()
  for (const [told, meant] of [
    ['us-centrall', 'us-central1'],
    ['us-central', 'us-central1'],
    ['europe-west-1', 'europe-west1'],
    ['eurpe-west4', 'europe-west4'],
  ] as const) {
    const words = `Location \\"${told}\\" is not found. Did you mean \\"${meant}\\"?`
    for (const target of [`/v2/projects/demo-project/locations/${told}/services`, `/v2/projects/demo-project/locations/${told}/jobs`]) {
      const answer = await given.send('GET', target)
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(words)])
    }
    const regional = await given.send('GET', '/apis/serving.knative.dev/v1/namespaces/demo-project/services', {
      headers: { host: `${told}-run.googleapis.com`, authorization: 'Bearer x' },
    })
    expect(regional.status).not.toBe(200)
  }
})

test("a folder's project id is one that every API takes", async () => {
  const { projectIdFor } = await import('../../src/config/ids.ts')
  for (const folder of ['web', 'My Shop', '..', '-', 'P', 'a b', 'é', '123', 'api', '日本', 'a'.repeat(80), 'x-'.repeat(40)]) {
    expect(() => checkProject(projectIdFor(folder)), folder).not.toThrow()
    expect(projectIdFor(folder).length).toBeGreaterThanOrEqual(6)
  }
})
