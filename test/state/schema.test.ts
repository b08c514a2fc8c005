import { DatabaseSync } from 'node:sqlite'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDaemon } from '../../src/daemon/daemon.ts'
import { schema } from '../../src/daemon/schema.ts'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'
import { contentsOf, fixtureNames, freshDirectory, givenFixture } from './given-state.ts'

test('F11: there is a kept state of every schema before this one that was on a disk', () => {
  expect(fixtureNames).toContain('schema-0')
})

test.each(fixtureNames)('F11: state that devcloud wrote with %s opens: every resource and every byte is there', async (name) => {
  const stateDirectory = givenFixture(name)
  await using daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
  const ask = async (host: string, path: string) => {
    const response = await fetch(`http://localhost:${daemon.house.gateway.port}${path}`, { headers: { host: `${host}.googleapis.com` } })
    expect(response.status, path).toBe(200)
    return Buffer.from(await response.arrayBuffer()).toString()
  }
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const json = async (host: string, path: string) => JSON.parse(await ask(host, path))
  const place = 'projects/kept-shop/locations/us-central1'

  expect(await json('secretmanager', '/v1/projects/kept-shop/secrets')).toMatchObject({
    secrets: [{ name: 'projects/983475667317/secrets/password' }],
  })
  const { payload } = await json('secretmanager', '/v1/projects/kept-shop/secrets/password/versions/latest:access')
  expect(Buffer.from(payload.data, 'base64').toString()).toBe('second')
  expect(await json('secretmanager', '/v1/projects/kept-shop/secrets/password/versions/1')).toMatchObject({ state: 'DISABLED' })
  expect(await json('run', `/v2/${place}/services`)).toMatchObject({ services: [{ name: `${place}/services/web` }] })
  expect(await json('run', `/v2/${place}/services/web/revisions`)).toMatchObject({ revisions: [{ generation: '1' }] })
  expect(await json('run', `/v2/${place}/services/web:getIamPolicy`)).toMatchObject({ bindings: [{ members: ['allUsers'] }] })
  expect(await json('run', `/v2/${place}/jobs`)).toMatchObject({ jobs: [{ name: `${place}/jobs/report` }] })
  const { executions } = await json('run', `/v2/${place}/jobs/report/executions`)
  expect(executions).toMatchObject([{ succeededCount: 1 }])
  expect(await json('run', `/v2/${executions[0].name}/tasks`)).toMatchObject({
    tasks: [{ execution: 'report-k5lp4', etag: '"succeeded-0"' }],
  })
  expect(await json('run', `/v2/${place}/workerPools`)).toMatchObject({ workerPools: [{ name: `${place}/workerPools/pull` }] })
  expect((await json('run', `/v2/${place}/operations`)).operations).toHaveLength(4)
  expect(JSON.stringify(await json('iam', '/v1/projects/kept-shop/serviceAccounts'))).toContain('kept-robot@')

  const objects = '/storage/v1/b/kept-bytes/o'
  expect((await json('storage', `${objects}?versions=true`)).items).toHaveLength(3)
  expect(await ask('storage', `${objects}/small?alt=media`)).toBe('newer small bytes')
  expect(await ask('storage', `${objects}/large?alt=media`)).toBe(Buffer.alloc(100_000, 'large ').toString())
  expect(readdirSync(join(stateDirectory, 'objects'))).toHaveLength(2) // the large object and the half upload
  expect(readdirSync(join(stateDirectory, 'backups'))).toHaveLength(1)
})

test('F11: a database is copied before its shape is changed, and the copy opens with the version that wrote it', async () => {
  const directory = freshDirectory()
  {
    await using first = openState(directory, [])
    await openCollection(first, 'k').put('a', '1')
  }
  await using _second = openState(directory, [
    { name: 'breaks', run: (db) => db.exec('DELETE FROM resources; CREATE TABLE more (a TEXT)') },
  ])
  const [backup = ''] = readdirSync(join(directory, 'backups'))
  using copy = new DatabaseSync(join(directory, 'backups', backup))
  expect(copy.prepare('SELECT value FROM resources').all()).toEqual([{ value: '1' }])
  expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
})

test('F4: a step that fails leaves the schema, the rows and the number as they were, and the next start does all of it', async () => {
  const directory = freshDirectory()
  await openState(directory, [])[Symbol.asyncDispose]()
  const adds = { name: 'adds', run: (db: DatabaseSync) => db.exec('CREATE TABLE added (a TEXT)') }
  const fails = { name: 'fails', run: (db: DatabaseSync) => db.exec('SELECT * FROM nowhere') }
  expect(() => openState(directory, [adds, fails])).toThrow('nowhere')
  await using state = openState(directory, [adds])
  expect(state.db.prepare('SELECT * FROM added').all()).toEqual([])
})

test('F11: state of a newer devcloud is refused by the name of that version, and not a byte of it changes', async () => {
  const directory = freshDirectory()
  const later = { name: 'later', run: (db: DatabaseSync) => db.exec('CREATE TABLE later (a TEXT)') }
  await openState(directory, [...schema, later])[Symbol.asyncDispose]()
  {
    using db = new DatabaseSync(join(directory, 'state.db'))
    db.exec("UPDATE meta SET value = '9.9.9' WHERE key = 'version'")
  }
  const before = contentsOf(directory)
  expect(() => openState(directory, schema)).toThrow(
    expect.objectContaining({ fault: 'STATE_NEWER', message: expect.stringContaining('written by devcloud 9.9.9, with schema 7') }),
  )
  expect(contentsOf(directory)).toEqual(before)
})
