import { expect, test } from 'vitest'
import { givenClock } from '../../router/given-clock.ts'
import { givenSecret, givenSecrets } from './given-secrets.ts'

const INVALID_ARGUMENT = 3
const UNIMPLEMENTED = 12
const automatic = { replication: { automatic: {} } }
const topics = [{ name: 'projects/demo/topics/events' }]
const key = { kmsKeyName: 'projects/p/locations/global/keyRings/r/cryptoKeys/k' }
const replicas = (...locations: string[]) => ({ replication: { userManaged: { replicas: locations.map((location) => ({ location })) } } })
const inSeconds = (seconds: number) => ({ seconds: Math.floor(Date.now() / 1000) + seconds })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))

test('what production rejects in a secret is rejected, and nothing is made', async () => {
  await using cloud = await givenSecrets()
  const refused: readonly (readonly [object, string])[] = [
    [{ ...automatic, labels: { Upper: 'x' } }, 'label key [Upper]'],
    [{ ...automatic, labels: { '1st': 'x' } }, 'label key [1st]'],
    [{ ...automatic, labels: { a: 'With Space' } }, 'value [With Space]'],
    [{ ...automatic, labels: { a: 'x'.repeat(64) } }, 'at most 63 characters'],
    [{ ...automatic, labels: { ['語'.repeat(50)]: '' } }, 'at most 128 bytes'],
    [{ ...automatic, labels: many(65) }, 'at most 64 labels'],
    [{ ...automatic, annotations: { '-a': 'x' } }, 'annotation key [-a]'],
    [{ ...automatic, annotations: { 'a/b': 'x' } }, 'annotation key [a/b]'],
    [{ ...automatic, annotations: { a: 'x'.repeat(16_384) } }, 'less than 16KiB'],
    [{ ...automatic, topics: [{ name: 'events' }] }, 'Topic name [events]'],
    [{ ...automatic, topics: [...topics, ...topics] }, 'more than once'],
    [{ ...automatic, topics: Array.from({ length: 11 }, (_, index) => ({ name: `projects/p/topics/t-${index}` })) }, 'at most 10 topics'],
    [{ ...automatic, ttl: { seconds: 59 } }, 'less than 60 seconds'],
    [{ ...automatic, ttl: { seconds: -1 } }, 'less than 60 seconds'],
    [{ ...automatic, ttl: { seconds: 3_153_600_001 } }, 'more than 100 years'],
    [{ ...automatic, expireTime: inSeconds(-10) }, 'less than 60 seconds'],
    [{ ...automatic, rotation: { nextRotationTime: inSeconds(900) } }, 'Topics must be set'],
    [
      { ...automatic, topics, rotation: { rotationPeriod: { seconds: 3600 } } },
      'Next rotation time must be set while the rotation period is set.',
    ],
    [{ ...automatic, topics, rotation: { nextRotationTime: inSeconds(60) } }, 'less than 300 seconds'],
    [{ ...automatic, topics, rotation: { nextRotationTime: inSeconds(900), rotationPeriod: { seconds: 3599 } } }, 'at least 3600s'],
    [replicas(), 'at least one replica'],
    [replicas('moon-west1'), 'Location [moon-west1]'],
    [replicas('us-east1', 'us-east1'), 'more than once'],
    [{ ...automatic, versionAliases: { latest: 1 } }, '"latest"'],
    [{ ...automatic, versionAliases: { a: 0 } }, 'must name a version'],
    [{ ...automatic, versionAliases: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`a${index}`, 1])) }, 'at most 50'],
    [{ ...automatic, versionDestroyTtl: { seconds: 3600 } }, 'version_destroy_ttl'],
    [{ ...automatic, versionDestroyTtl: { seconds: 86_400 * 1001 } }, 'version_destroy_ttl'],
  ]
  for (const [secret, words] of refused) {
    await expect(cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret }), words).rejects.toMatchObject({
      code: INVALID_ARGUMENT,
      details: expect.stringContaining(words),
    })
  }
  const keyed = [
    { replication: { automatic: { customerManagedEncryption: key } } },
    { replication: { userManaged: { replicas: [{ location: 'us-east1', customerManagedEncryption: key }] } } },
    { ...automatic, customerManagedEncryption: key },
    { ...automatic, tags: { '1/env': 'x' } },
  ]
  for (const secret of keyed) {
    await expect(cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret })).rejects.toMatchObject({
      code: UNIMPLEMENTED,
    })
  }
  expect((await cloud.client.listSecrets({ parent: 'projects/demo' }))[0]).toEqual([])
})

test('what production takes is taken, and given back', async () => {
  await using cloud = await givenSecrets()
  const secret = {
    ...replicas('us-east1', 'europe-west4'),
    labels: { größe_1: 'äß-9', empty: '' },
    annotations: { 'a.B_c-9': 'Any text: 語' },
    topics,
    rotation: { nextRotationTime: inSeconds(900), rotationPeriod: { seconds: 3600 } },
    versionDestroyTtl: { seconds: 86_400 },
    ttl: { seconds: 61 },
  }
  const [made] = await cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret })
  expect(made).toMatchObject({ labels: secret.labels, annotations: secret.annotations, topics })
  expect(Number(made.expireTime?.seconds)).toBeGreaterThan(Date.now() / 1000 + 30)
})

test('an update cannot bring in what a creation may not, and a past expire time does not delete the secret', async () => {
  await using cloud = await givenSecrets()
  const name = await givenSecret(cloud.client, 's', ['a'])
  const update = (secret: object, ...paths: string[]) => cloud.client.updateSecret({ secret: { name, ...secret }, updateMask: { paths } })
  await expect(update({ expireTime: inSeconds(-1) }, 'expire_time')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  await expect(update({ ttl: { seconds: 0 } }, 'ttl')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  await expect(update({ labels: { A: 'b' } }, 'labels')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  await expect(update({ labels: { A: 'b' } }, 'labels.A')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  await expect(update({ topics: [{ name: 'x' }] }, 'topics')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  await expect(update({ tags: { a: 'b' } }, 'tags')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
  const [version] = await cloud.client.accessSecretVersion({ name: `${name}/versions/1` })
  expect(version.payload?.data?.toString()).toBe('a')
})

test('a rotation whose time has come does not keep other fields from being changed', async () => {
  const clock = givenClock()
  await using cloud = await givenSecrets(clock)
  const secret = { ...automatic, topics, rotation: { nextRotationTime: inSeconds(900) } }
  const [{ name }] = await cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret })
  clock.forward(3_600_000)
  const [changed] = await cloud.client.updateSecret({ secret: { name: name ?? '', labels: { a: 'b' } }, updateMask: { paths: ['labels'] } })
  expect(changed.labels).toEqual({ a: 'b' })
})

test('a secret that is made again, after its deletion or its expiry, has neither versions nor members of the one before', async () => {
  const clock = givenClock()
  await using cloud = await givenSecrets(clock)
  const bindings = [{ role: 'roles/secretmanager.secretAccessor', members: ['user:a@example.com'] }]
  for (const end of ['deletion', 'expiry']) {
    const secret = end === 'expiry' ? { ...automatic, ttl: { seconds: 60 } } : automatic
    const [{ name }] = await cloud.client.createSecret({ parent: 'projects/demo', secretId: end, secret })
    const resource = name ?? ''
    await cloud.client.addSecretVersion({ parent: resource, payload: { data: Buffer.from('x') } })
    await cloud.client.setIamPolicy({ resource, policy: { bindings } })
    if (end === 'expiry') clock.forward(61_000)
    else await cloud.client.deleteSecret({ name: resource })
    await givenSecret(cloud.client, end)
    expect((await cloud.client.getIamPolicy({ resource }))[0].bindings, end).toEqual([])
    expect((await cloud.client.listSecretVersions({ parent: resource }))[0], end).toEqual([])
  }
})

test('two who make one secret at the same time: one makes it, the other is told', async () => {
  await using cloud = await givenSecrets()
  const make = () => cloud.client.createSecret({ parent: 'projects/demo', secretId: 's', secret: automatic })
  const outcomes = await Promise.allSettled([make(), make(), make()])
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test("filters are those of Google's documentation, on secrets and on versions", async () => {
  await using cloud = await givenSecrets()
  for (const [id, env] of Object.entries({ asecret: 'production', bsecret: 'test', other: 'test' }))
    await cloud.client.createSecret({ parent: 'projects/demo', secretId: id, secret: { ...automatic, labels: { env } } })
  const ids = async (filter: string) =>
    (await cloud.client.listSecrets({ parent: 'projects/demo', filter }))[0].map(({ name }) => name?.split('/').at(-1))
  expect(await ids('name:asecret OR name:bsecret')).toEqual(['asecret', 'bsecret'])
  expect(await ids('(name:asecret OR name:other) AND NOT labels.env=production')).toEqual(['other'])
  expect(await ids('create_time>2020-01-01T06:00:00Z AND replication.automatic:* -labels.env:prod')).toEqual(['bsecret', 'other'])
  expect(await ids('create_time<2020-01-01')).toEqual([])
  const parent = await givenSecret(cloud.client, 'versions', ['1', '2', '3'])
  await cloud.client.disableSecretVersion({ name: `${parent}/versions/2` })
  const numbers = async (filter: string) =>
    (await cloud.client.listSecretVersions({ parent, filter }))[0].map(({ name }) => Number(name?.split('/').at(-1)))
  expect(await numbers('state:ENABLED')).toEqual([3, 1])
  expect(await numbers('state:DISABLED OR name:versions/3')).toEqual([3, 2])
  await expect(numbers('payload:x')).rejects.toMatchObject({ code: INVALID_ARGUMENT })
})
