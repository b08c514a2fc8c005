import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { readMessageFilter } from '../../src/api/filter.ts'
import { SecretSchema, SecretVersionSchema, SecretVersion_State } from '../../src/api/gen/google/cloud/secretmanager/v1/resources_pb.ts'

const secret = create(SecretSchema, {
  name: 'projects/1/secrets/db-password',
  createTime: timestampFromDate(new Date('2026-03-01T12:00:00Z')),
  labels: { env: 'production', 'my-team': 'Blue', empty: '' },
  topics: [{ name: 'projects/p/topics/a' }, { name: 'projects/p/topics/b' }],
  replication: { replication: { case: 'userManaged', value: { replicas: [{ location: 'us-east1' }, { location: 'us-west1' }] } } },
})
const passes = (filter: string) => readMessageFilter(filter, SecretSchema)(secret)

test.each([
  ['', true],
  ['  ', true],
  ['name:PASSWORD', true],
  ['name:other', false],
  ['name:db*word', true],
  ['name:word*db', false],
  ['name=projects/1/secrets/db-password', true],
  ['name=db-password', false],
  ['name="projects/1/*"', true],
  ['labels.env=production', true],
  ['labels.env=prod', false],
  ['labels.env!=prod', true],
  ['labels.absent!=x', true],
  ['labels.env:prod', true],
  ['labels.my-team=Blue', true],
  ['labels."my-team"=Blue', true],
  ['labels:env', true],
  ['labels:absent', false],
  ['labels:*', true],
  ['labels.empty:*', true],
  ['labels.absent:*', false],
  ['create_time>2026-01-01', true],
  ['createTime>2026-01-01T00:00:00Z AND create_time<2026-02-01T00:00:00+01:00', false],
  ['create_time >= "2026-03-01T12:00:00Z"', true],
  ['create_time = 2026-03-01T12:00:00.000Z', true],
  ['topics.name:topics/b', true],
  ['topics.name=projects/p/topics/c', false],
  ['replication.automatic:*', false],
  ['replication.user_managed:*', true],
  ['replication.user_managed.replicas.location:* AND NOT replication.user_managed.replicas.location:us-east1', false],
  ['replication.userManaged.replicas.location:us-west1', true],
  ['expire_time:*', false],
  ['NOT name:other', true],
  ['-name:other', true],
  ['-(name:db OR name:other)', false],
  ['name:other OR labels.env=production', true],
  ['name:other OR labels.env=test', false],
  // OR binds tighter than AND, also where AND is only a space
  ['labels.env=test OR name:db AND labels.env=production', true],
  ['labels.env=production OR name:db AND name:other', false],
  ['name:other OR name:db labels.env=test', false],
  ['(labels.env=production) (name:db)', true],
  ['((name:db))', true],
  ['name : "db-\\"x\\""', false],
])('the filter %j is %j', (filter, expected) => {
  expect(passes(filter)).toBe(expected)
})

test('a state compares by its name', () => {
  const version = create(SecretVersionSchema, { state: SecretVersion_State.ENABLED })
  const asks = (filter: string) => readMessageFilter(filter, SecretVersionSchema)(version)
  expect([asks('state:ENABLED'), asks('state=enabled'), asks('state!=DISABLED'), asks('state=DISABLED')]).toEqual([true, true, true, false])
  expect(() => asks('state>ENABLED')).toThrow('Invalid filter')
})

test.each([
  'colour:red',
  'name',
  'name:',
  'name=',
  '(name:x',
  'name:x)',
  'name:x AND',
  'AND name:x',
  'name:x OR',
  'NOT',
  '-',
  'name ~ x',
  'name:"x',
  'create_time>yesterday',
  'labels=x',
  'replication=automatic',
  'name.first:x',
  'labels..x:y',
  '__proto__:x',
  'constructor.name:x',
])('the filter %j is refused', (filter) => {
  expect(() => passes(filter)).toThrow(/^Invalid filter: /)
})

test('S25: a filter has a length and a depth, and the longest that there may be is matched in one pass', () => {
  expect(() => passes(`name:${'x'.repeat(2048)}`)).toThrow('more than 2048 characters')
  expect(() => passes(`${'('.repeat(500)}name:x${')'.repeat(500)}`)).toThrow('nested more than 20 deep')
  expect(() => passes(`${'NOT '.repeat(500)}name:x`)).toThrow('nested more than 20 deep')
  expect(() => passes('-'.repeat(2000))).toThrow('nested more than 20 deep')
  const long = create(SecretSchema, { annotations: { a: 'ab'.repeat(8000) } })
  const stars = `annotations.a="${'*a'.repeat(1000)}c"`
  expect(readMessageFilter(stars, SecretSchema)(long)).toBe(false)
})
