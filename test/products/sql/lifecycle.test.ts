import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { openLog } from '../../../src/base/log.ts'
import { openSqlOperations } from '../../../src/products/sql/operations.ts'
import { openState } from '../../../src/state/state.ts'
import { givenHome, project } from './given-sql.ts'

const homes: ReturnType<typeof givenHome>[] = []
const freshHome = () => {
  const home = givenHome()
  homes.push(home)
  return home
}

afterAll(async () => {
  for (const home of homes) await home[Symbol.asyncDispose]()
})

const instances = `${project}/instances`
const wanted = (name: string, settings: object = {}) => ({
  name,
  databaseVersion: 'POSTGRES_18',
  settings: { tier: 'db-f1-micro', ...settings },
})

test('sql trap 27: the next daemon finds the instance with its rows, users and passwords', async () => {
  const home = freshHome()
  {
    await using sql = await home.start()
    await sql.run('POST', instances, wanted('kept'))
    await sql.run('POST', `${instances}/kept/databases`, { name: 'app' })
    await sql.run('POST', `${instances}/kept/users`, { name: 'app', password: 'pw' })
    const client = await sql.connect('kept', 'app', 'pw', 'app')
    await client.query('CREATE TABLE t AS SELECT 7 AS id')
    await client.end()
    await sql.product.stopProject('p')
  }
  await using sql = await home.start()
  await sql.product.startAll()
  expect(await sql.product.list('p')).toEqual([{ kind: 'sql', id: 'kept', detail: 'POSTGRES_18', state: 'RUNNABLE' }])
  const client = await sql.connect('kept', 'app', 'pw', 'app')
  expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 7 }])
  await client.end()
})

test('a server that was stopped with its project runs again when its socket is asked for', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('lazy', {}))
  await sql.run('POST', `${instances}/lazy/users`, { name: 'u', password: 'pw' })
  await sql.product.stopProject('p')
  await (await sql.connect('lazy', 'u', 'pw')).end()
})

test('sql trap 29: deleting removes the data, and the name is free at once', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('again'))
  await sql.run('POST', `${instances}/again/databases`, { name: 'old' })
  const folder = await sql.product.socketDirectory('p:us-central1:again')
  expect(await sql.run('DELETE', `${instances}/again?finalBackupDescription=`)).toMatchObject({ operationType: 'DELETE', status: 'DONE' })
  expect(existsSync(folder)).toBe(false)
  expect((await sql.call('GET', `${instances}/again`)).status).toBe(404)
  await sql.run('POST', instances, wanted('again'))
  const { body } = await sql.call('GET', `${instances}/again/databases`)
  expect(body['items']).toMatchObject([{ name: 'postgres' }])
})

test('activationPolicy NEVER stops the server, ALWAYS starts it', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('rest'))
  await sql.run('POST', `${instances}/rest/users`, { name: 'u', password: 'pw' })
  const client = await sql.connect('rest', 'u', 'pw')
  const cut = new Promise((resolve) => client.once('end', resolve))
  await sql.run('PATCH', `${instances}/rest`, { settings: { activationPolicy: 'NEVER' } })
  await cut
  expect(await sql.product.list('p')).toMatchObject([{ state: 'STOPPED' }])
  expect(await sql.call('GET', `${instances}/rest/users`)).toMatchObject({
    status: 400,
    body: { error: { message: 'Invalid request: Invalid request since instance is not running.', errors: [{ reason: 'invalid' }] } },
  })
  await expect(sql.connect('rest', 'u', 'pw')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
  await sql.product.startAll()
  await expect(sql.connect('rest', 'u', 'pw')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
  await sql.run('PATCH', `${instances}/rest`, { settings: { activationPolicy: 'ALWAYS' } })
  await (await sql.connect('rest', 'u', 'pw')).end()
})

test('settings: PATCH merges, PUT replaces, and a version or etag of the past changes nothing', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('set', { userLabels: { a: '1' }, dataDiskSizeGb: 20 }))
  const first = (await sql.call('GET', `${instances}/set`)).body
  expect(first).toMatchObject({ settings: { settingsVersion: '1', dataDiskSizeGb: '20', userLabels: { a: '1' } } })
  await sql.run('PATCH', `${instances}/set`, { settings: { userLabels: { b: '2' }, settingsVersion: '1' } })
  const second = (await sql.call('GET', `${instances}/set`)).body
  expect(second).toMatchObject({ settings: { settingsVersion: '2', dataDiskSizeGb: '20', userLabels: { a: '1', b: '2' } } })
  expect(second['etag']).not.toBe(first['etag'])
  const late = { settings: { settingsVersion: '1', tier: 'db-g1-small' } }
  for (const sent of [late, { etag: first['etag'], settings: { tier: 'db-g1-small' } }]) {
    expect(await sql.call('PUT', `${instances}/set`, sent)).toMatchObject({
      status: 412,
      body: { error: { message: 'Condition does not match.', errors: [{ reason: 'staleData' }] } },
    })
  }
  await sql.run('PUT', `${instances}/set`, { settings: { tier: 'db-custom-2-7680', settingsVersion: '2' } })
  const third = (await sql.call('GET', `${instances}/set`)).body
  expect(third).toMatchObject({ settings: { settingsVersion: '3', tier: 'db-custom-2-7680', dataDiskSizeGb: '10' } })
  expect(third['settings']).not.toHaveProperty('userLabels')
  await sql.run('PUT', `${instances}/set`, third)
})

test('a protected instance is not deleted', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('safe', { deletionProtectionEnabled: true }))
  expect(await sql.call('DELETE', `${instances}/safe`)).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('The instance is protected.') } },
  })
  await sql.run('PATCH', `${instances}/safe`, { settings: { deletionProtectionEnabled: false } })
  await sql.run('DELETE', `${instances}/safe`)
})

test('what an instance cannot be is refused before anything is made', async () => {
  await using sql = await freshHome().start()
  for (const [status, body, word] of [
    [400, wanted('Upper'), 'Upper'],
    [400, wanted('a'.repeat(97)), 'longer'],
    [400, wanted('a', { tier: 'db-huge' }), 'db-huge'],
    [400, wanted('a', { tier: 'db-custom-3-3840' }), 'db-custom-3-3840'],
    [400, wanted('a', { databaseFlags: [{ name: 'no_such', value: 'on' }] }), 'no_such'],
    [400, wanted('a', { activationPolicy: 'SOMETIMES' }), 'SOMETIMES'],
    [400, { ...wanted('a'), databaseVersion: 'POSTGRES_8' }, 'POSTGRES_8'],
    [400, { ...wanted('a'), databaseVersion: 'MYSQL_8_0' }, 'MYSQL_8_0'],
    [400, { ...wanted('a'), databaseVersion: 'SQLSERVER_2022_STANDARD' }, 'SQLSERVER_2022_STANDARD'],
    [400, { ...wanted('a'), masterInstanceName: 'b' }, 'masterInstanceName'],
    [400, { ...wanted('a'), instanceType: 'READ_REPLICA_INSTANCE' }, 'READ_REPLICA_INSTANCE'],
  ] as const) {
    expect(await sql.call('POST', instances, body)).toMatchObject({ status, body: { error: { message: expect.stringContaining(word) } } })
  }
  expect((await sql.call('GET', instances)).body).toEqual({ kind: 'sql#instancesList' })
})

test('sql trap 14: an operation is answered after its instance is gone, and lists are newest first', async () => {
  await using sql = await freshHome().start()
  const created = await sql.run('POST', instances, wanted('brief'))
  await sql.run('DELETE', `${instances}/brief`)
  expect((await sql.call('GET', `${project}/operations/${String(created['name'])}`)).body).toEqual(created)
  const first = (await sql.call('GET', `${project}/operations?instance=brief&maxResults=1`)).body
  expect(first).toMatchObject({ kind: 'sql#operationsList', items: [{ operationType: 'DELETE' }] })
  const second = (await sql.call('GET', `${project}/operations?instance=brief&pageToken=${String(first['nextPageToken'])}`)).body
  expect(second).toEqual({ kind: 'sql#operationsList', items: [created] })
  expect((await sql.call('GET', `${project}/operations/none`)).status).toBe(404)
  expect((await sql.call('POST', `${project}/operations/${String(created['name'])}/cancel`)).status).toBe(400)
})

test('sql trap 44: an operation that a daemon left under way ends as an error when the next one starts', async () => {
  const home = freshHome()
  const about = { type: 'CREATE', project: 'p', instance: 'i', user: 'me' }
  const needs = { clock: systemClock, log: openLog(undefined) }
  const state = openState(home.directory, [])
  const started = await openSqlOperations({ state, ...needs }).start(about, () => new Promise(() => {}), 1)
  expect(started).toMatchObject({ status: 'RUNNING', startTime: expect.any(String) })
  await state[Symbol.asyncDispose]()
  await using sql = await home.start()
  expect((await sql.call('GET', `${project}/operations/${started.name}`)).body).toMatchObject({
    status: 'DONE',
    endTime: expect.any(String),
    error: { kind: 'sql#operationErrors', errors: [{ code: 'ABORTED', message: 'The devcloud daemon ended while this was under way.' }] },
  })
})

test('an instance that a daemon left half made is gone after the next start', async () => {
  const home = freshHome()
  {
    await using sql = await home.start()
    await sql.run('POST', instances, wanted('half'))
    await sql.run('POST', instances, wanted('whole'))
  }
  {
    await using state = openState(home.directory, [])
    await state.write((db) => {
      db.exec(`UPDATE resources SET value = replace(value, '"RUNNABLE"', '"PENDING_CREATE"') WHERE name = 'projects/p/instances/half'`)
    })
  }
  await using sql = await home.start()
  await sql.product.startAll()
  expect((await sql.product.list('p')).map(({ id }) => id)).toEqual(['whole'])
})

test('removing a project removes its data and operations', async () => {
  await using sql = await freshHome().start()
  await sql.run('POST', instances, wanted('out', { deletionProtectionEnabled: true }))
  const folder = await sql.product.socketDirectory('p:us-central1:out')
  await sql.product.removeProject('p')
  expect(existsSync(folder)).toBe(false)
  expect(await sql.product.list('p')).toEqual([])
  expect((await sql.call('GET', `${project}/operations`)).body).toEqual({ kind: 'sql#operationsList' })
})

test('F26: an instance whose data was removed by hand is FAILED, says so to whoever asks, and can be deleted', async () => {
  const home = freshHome()
  await using sql = await home.start()
  await sql.run('POST', instances, wanted('lost'))
  const folder = join(await sql.product.socketDirectory('p:us-central1:lost'), '..')
  await sql.product.stopProject('p')
  rmSync(folder, { recursive: true })
  const asked = await sql.call('GET', `${instances}/lost/databases`)
  expect(asked.status).toBe(400)
  expect(JSON.stringify(asked.body)).toContain('was removed or emptied')
  await expect(sql.product.socketDirectory('p:us-central1:lost')).rejects.toMatchObject({ fault: 'POSTGRES_DATA_GONE' })
  expect(await sql.product.list('p')).toEqual([expect.objectContaining({ id: 'lost', state: 'FAILED' })])
  await sql.run('DELETE', `${instances}/lost`)
  expect(await sql.product.list('p')).toEqual([])
})
