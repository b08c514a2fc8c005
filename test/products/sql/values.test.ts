import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { givenHome, project } from './given-sql.ts'

const home = givenHome()
afterAll(() => home[Symbol.asyncDispose]())

const instances = `${project}/instances`
const wanted = (name: string, settings: object = {}, more: object = {}) => ({
  name,
  databaseVersion: 'POSTGRES_18',
  settings: { tier: 'db-f1-micro', edition: 'ENTERPRISE', ...settings },
  ...more,
})
const message = (words: string) => ({ body: { error: { message: expect.stringContaining(words) } } })

test('settings that production rejects are rejected by name, and nothing is made', async () => {
  await using sql = await home.start()
  const refused: readonly (readonly [object, string])[] = [
    [{ colour: 'red' }, 'Unknown name "colour"'],
    [{ availabilityType: 'GLOBAL' }, 'settings.availabilityType ("GLOBAL")'],
    [{ dataDiskSizeGb: 5 }, 'from 10 to 65536'],
    [{ dataDiskSizeGb: 'large' }, 'settings.dataDiskSizeGb'],
    [{ userLabels: { Upper: 'x' } }, 'settings.userLabels'],
    [{ userLabels: JSON.parse('{"__proto__": "x"}') as object }, 'settings.userLabels'],
    [{ locationPreference: { zone: 'moon-west1-a' } }, 'settings.locationPreference.zone'],
    [{ backupConfiguration: { enabled: true, startTime: '25:00' } }, 'settings.backupConfiguration.startTime'],
    [{ maintenanceWindow: { day: 8 } }, 'settings.maintenanceWindow.day'],
    [{ ipConfiguration: { sslMode: 'MAYBE' } }, 'settings.ipConfiguration.sslMode'],
    [{ ipConfiguration: { authorizedNetworks: [{ value: 'everywhere' }] } }, 'settings.ipConfiguration.authorizedNetworks'],
    [{ deletionProtectionEnabled: 'yes' }, 'settings.deletionProtectionEnabled'],
    [{ edition: 'ENTERPRISE_PLUS' }, 'Invalid Tier (db-f1-micro) for (ENTERPRISE_PLUS) Edition'],
    [{ tier: 'db-perf-optimized-N-2' }, 'Invalid Tier (db-perf-optimized-N-2) for (ENTERPRISE) Edition'],
    [{ timeZone: 'UTC' }, 'does not emulate settings.timeZone'],
    [{ connectionPoolConfig: { connectionPoolingEnabled: true } }, 'does not emulate settings.connectionPoolConfig'],
  ]
  for (const [settings, words] of refused)
    expect(await sql.call('POST', instances, wanted('a', settings)), words).toMatchObject({ status: 400, ...message(words) })
  for (const [more, words] of [
    [{ region: 'moon-west1' }, 'region'],
    [{ secondaryGceZone: 'us-central1' }, 'secondaryGceZone'],
    [{ diskEncryptionConfiguration: { kmsKeyName: 'k' } }, 'kmsKeyName'],
    [{ replicaConfiguration: { failoverTarget: true } }, 'replicaConfiguration'],
  ] as const)
    expect(await sql.call('POST', instances, wanted('a', {}, more)), words).toMatchObject({ status: 400, ...message(words) })
  expect((await sql.call('GET', instances)).body).toEqual({ kind: 'sql#instancesList' })
})

test('null means absent, and what is kept without effect, or runs as another version, is told by the operation', async () => {
  await using sql = await home.start()
  const nulls = { region: null, rootPassword: null, etag: null, masterInstanceName: null, instanceType: null, settings: null }
  const made = await sql.run('POST', instances, { name: 'nulls', databaseVersion: 'POSTGRES_13', ...nulls })
  expect(made).toMatchObject({ apiWarning: { message: expect.stringMatching(/^POSTGRES_13 runs as PostgreSQL 18\.\d+ here: /) } })
  expect(await sql.run('POST', `${instances}/nulls/databases`, { name: 'd', charset: null, collation: null })).toMatchObject({
    status: 'DONE',
  })
  expect(await sql.run('POST', `${instances}/nulls/users`, { name: 'u', password: null, databaseRoles: null })).toMatchObject({
    status: 'DONE',
  })
  const settings = {
    availabilityType: 'REGIONAL',
    backupConfiguration: { enabled: true },
    databaseFlags: [{ name: 'max_connections', value: '50' }],
    userLabels: { a: null },
  }
  const changed = await sql.run('PATCH', `${instances}/nulls`, { settings })
  expect(changed).toMatchObject({
    apiWarning: {
      message: expect.stringContaining(
        'Kept and not acted upon: settings.availabilityType, settings.backupConfiguration, settings.databaseFlags.',
      ),
    },
  })
})

test('filters of instances are honoured or refused, and unknown parameters are refused by name', async () => {
  await using sql = await home.start()
  await sql.run('POST', instances, wanted('one', { userLabels: { env: 'dev' } }))
  await sql.run('POST', instances, wanted('two', { userLabels: { env: 'prod' } }))
  const names = async (filter: string) => {
    const { status, body } = await sql.call('GET', `${instances}?filter=${encodeURIComponent(filter)}`)
    return status === 200 ? ((body['items'] ?? []) as { name: string }[]).map(({ name }) => name) : status
  }
  expect(await names('settings.userLabels.env:dev')).toEqual(['one'])
  expect(await names('state:RUNNABLE instanceType:CLOUD_SQL_INSTANCE name=two')).toEqual(['two'])
  expect(await names('name=one OR settings.userLabels.env=prod')).toEqual(['one', 'two'])
  expect(await names('databaseVersion!=POSTGRES_18')).toEqual(['nulls'])
  expect(await names('colour:red')).toBe(400)
  expect(await names('name~one')).toBe(400)
  for (const path of [`${instances}?colour=red`, `${project}/operations?filter=status:DONE`, `${instances}/one?filter=x`])
    expect(await sql.call('GET', path), path).toMatchObject({ status: 400, ...message('Cannot bind query parameter') })
  expect((await sql.call('GET', `${instances}?alt=json&prettyPrint=false&key=k&%24.xgafv=1`)).status).toBe(200)
})

test('a creation that fails leaves a failed operation and no instance, also where its server cannot be removed', async () => {
  const name = 'p:us-central1:broken'
  await using sql = await home.start()
  const folder = dirname(await socketFolder(sql, 'one', name))
  // The place of a cluster in a container, where there is no engine: it can be neither started nor removed.
  mkdirSync(folder, { recursive: true })
  const place = { kind: 'container', major: 18, image: 'postgres:18', volume: 'sql-none', isInitialized: true }
  writeFileSync(join(folder, 'place.json'), JSON.stringify(place))
  const operation = await sql.run('POST', instances, wanted('broken'))
  expect(operation).toMatchObject({ status: 'DONE', operationType: 'CREATE', error: { errors: [{ code: 'UNAVAILABLE' }] } })
  expect((await sql.call('GET', `${instances}/broken`)).status).toBe(404)
  expect((await sql.product.list('p')).map(({ id }) => id)).not.toContain('broken')

  // Nothing hides the remains from the next one of that name: it fails the same way until they can be removed, and is made then.
  expect(await sql.run('POST', instances, wanted('broken'))).toMatchObject({ error: { errors: [{ code: 'UNAVAILABLE' }] } })
  rmSync(join(folder, 'place.json'))
  const made = await sql.run('POST', instances, wanted('broken'))
  expect(made['error']).toBeUndefined()
  expect(existsSync(folder)).toBe(true)
})

/** Where the cluster of `name` would be, beside that of an instance that is there. */
async function socketFolder(sql: Awaited<ReturnType<typeof home.start>>, instance: string, name: string): Promise<string> {
  const known = await sql.product.socketDirectory(`p:us-central1:${instance}`)
  return join(dirname(dirname(known)), createHash('sha256').update(name).digest('hex').slice(0, 10), 's')
}
