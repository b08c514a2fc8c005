import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { PolicySchema, type Policy } from '../../src/api/gen/google/iam/v1/policy_pb.ts'
import { readMember } from '../../src/api/iam-members.ts'
import { nextPolicy, shownPolicy } from '../../src/api/policy-rules.ts'

const empty = create(PolicySchema, { etag: Buffer.from('ACAB', 'base64') })
const role = 'roles/run.invoker'
const set = (policy: Parameters<typeof create<typeof PolicySchema>>[1], paths: string[] = [], current: Policy = empty) =>
  nextPolicy(current, create(PolicySchema, policy), paths, {})

test.each([
  'allUsers',
  'allAuthenticatedUsers',
  'user:a@example.com',
  'serviceAccount:app@demo-project.iam.gserviceaccount.com',
  'serviceAccount:demo-project.svc.id.goog[default/app]',
  'group:admins@example.com',
  'domain:example.com',
  'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s',
  'principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*',
  'deleted:serviceAccount:app@demo-project.iam.gserviceaccount.com?uid=123456789012345678901',
  'deleted:user:a@example.com?uid=123',
])('%s is a member', (member) => {
  expect(readMember(member)).toBe(member)
})

test('the prefix and the address of a member are written as Google writes them', () => {
  expect(readMember('serviceaccount:App@Demo.iam.gserviceaccount.com')).toBe('serviceAccount:app@demo.iam.gserviceaccount.com')
})

test.each([
  '',
  'a@example.com',
  'person:a@example.com',
  'user:',
  'user:a',
  'user:a b@example.com',
  'user:$(touch x)@example.com',
  'serviceAccount:app',
  'domain:-',
  'domain:example',
  'principal:x',
  'deleted:user:a@example.com',
  'deleted:domain:example.com?uid=1',
  'allUsers ',
  'projectOwner:demo',
  'user:a@example.com\nuser:b@example.com',
])('%j is no member', (member) => {
  expect(() => set({ bindings: [{ role, members: [member] }] })).toThrow(/^Invalid argument: /)
})

test('the owners of a project are members of buckets alone', () => {
  expect(readMember('projectOwner:demo', true)).toBe('projectOwner:demo')
})

test('bindings of one role are one, members are named once, and a binding without any is none', () => {
  const { bindings, version } = set({
    bindings: [
      { role, members: ['user:a@example.com', 'user:a@example.com'] },
      { role, members: ['user:b@example.com', 'user:A@example.com'] },
      { role: 'roles/viewer', members: [] },
    ],
  })
  expect(bindings).toMatchObject([{ role, members: ['user:a@example.com', 'user:b@example.com'] }])
  expect(version).toBe(1)
})

test.each(['', 'invoker', 'roles/', 'roles/a b', 'projects/p/roles/x/y', 'roles/run.invoker;id'])('%j is no role', (bad) => {
  expect(() => set({ bindings: [{ role: bad, members: ['allUsers'] }] })).toThrow('is not supported for this resource')
})

test('a version that there is not is refused, to read and to write', () => {
  for (const version of [2, 4, -1]) {
    expect(() => set({ version })).toThrow('valid values are 0, 1, and 3')
    expect(() => shownPolicy(empty, version)).toThrow('valid values are 0, 1, and 3')
  }
})

test('a condition needs version 3, is hidden from who reads an older one, and cannot be lost by who does not know of it', () => {
  const condition = { title: 'for a while', expression: 'request.time < timestamp("2030-01-01T00:00:00Z")' }
  const bindings = [{ role, members: ['user:a@example.com'], condition }]
  expect(() => set({ version: 1, bindings })).toThrow('must be set with version 3')
  const policy = set({ version: 3, bindings })
  expect(policy.version).toBe(3)
  const shown = shownPolicy(policy, 1)
  expect(shown).toMatchObject({ version: 1, bindings: [{ role: expect.stringMatching(/^roles\/run\.invoker_withcond_[0-9a-f]{20}$/) }] })
  expect(shown.bindings[0]?.condition).toBeUndefined()
  expect(shownPolicy(policy, 3)).toBe(policy)
  expect(() => nextPolicy(policy, shown, [], {})).toThrow()
  expect(() => set({ version: 3, bindings: [{ ...bindings[0], condition: { title: 't', expression: '' } }] })).toThrow('must not be empty')
  expect(() => set({ version: 3, bindings: [{ ...bindings[0], role: 'roles/owner' }] })).toThrow('basic role')
  expect(() => set({ version: 3, bindings: [{ ...bindings[0], members: ['allUsers'] }] })).toThrow('not supported for allUsers')
})

test('an etag of the past, too many principals, and a mask of other fields are refused', () => {
  expect(() => set({ etag: Buffer.from('old') })).toThrow('concurrent policy changes')
  const members = Array.from({ length: 1501 }, (_, index) => `user:u${index}@example.com`)
  expect(() => set({ bindings: [{ role, members }] })).toThrow('1501 principals')
  expect(() => set({}, ['name'])).toThrow('no field of a policy')
})

test('a mask of audit configs keeps the bindings', () => {
  const current = set({ bindings: [{ role, members: ['allUsers'] }] })
  const next = set({ auditConfigs: [{ service: 'allServices' }] }, ['auditConfigs'], current)
  expect(next).toMatchObject({ bindings: [{ role, members: ['allUsers'] }], auditConfigs: [{ service: 'allServices' }] })
})
