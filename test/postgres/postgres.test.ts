import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/postgres/postgres.ts'

const stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-pg-'))
const postgres = openPostgres({ stateDirectory })
const names = ['p:r:one', 'p:r:two', 'p:r:three']
const soon = () => AbortSignal.timeout(60_000)

afterAll(async () => {
  for (const name of names) await postgres.remove(name, soon())
  postgres.purge()
})

async function connect(name: string, user: string, password: string, database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ host: postgres.socketDirectory(name), user, password, database })
  client.on('error', () => {})
  await client.connect()
  return client
}

test('sql trap 22: a user made by the API may create tables in a database made by the API', async () => {
  const cluster = await postgres.open('p:r:one', soon())
  await cluster.createDatabase('app', undefined)
  await cluster.putUser('app', 'pw')
  const client = await connect('p:r:one', 'app', 'pw', 'app')
  await client.query('CREATE TABLE t (id int)')
  await client.end()
  expect((await cluster.databases()).map((database) => database.name)).toEqual(['app', 'postgres'])
  expect(await cluster.users()).toEqual(['app', 'postgres'])
})

test('sql trap 23: such a user creates the extensions of Cloud SQL, and runs no program', async () => {
  const cluster = await postgres.open('p:r:one', soon())
  await cluster.putUser('ext', 'pw')
  const client = await connect('p:r:one', 'ext', 'pw')
  await client.query('CREATE EXTENSION pg_stat_statements')
  await client.query('CREATE EXTENSION hstore')
  await expect(client.query("COPY (SELECT 1) TO PROGRAM 'true'")).rejects.toThrow(/pg_execute_server_program|permission denied/)
  await expect(client.query('ALTER ROLE ext SUPERUSER')).rejects.toThrow(/permission denied/)
  await client.end()
})

test('sql trap 24: a new password holds from the next login on, and cuts no session', async () => {
  const cluster = await postgres.open('p:r:one', soon())
  await cluster.putUser('u', 'old')
  const client = await connect('p:r:one', 'u', 'old')
  await cluster.putUser('u', 'new')
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await client.end()
  await expect(connect('p:r:one', 'u', 'old')).rejects.toThrow('password authentication failed')
  await (await connect('p:r:one', 'u', 'new')).end()
})

test('sql trap 27: rows and passwords outlive a restart, and a second daemon finds the running server', async () => {
  const cluster = await postgres.open('p:r:two', soon())
  await cluster.putUser('u', 'pw')
  const client = await connect('p:r:two', 'u', 'pw')
  await client.query('CREATE TABLE kept (v text)').catch(() => {})
  await client.end()
  const second = openPostgres({ stateDirectory })
  expect(await (await second.open('p:r:two', soon())).users()).toContain('u')
  await second.stop('p:r:two', soon())
  await postgres.open('p:r:two', soon())
  await (await connect('p:r:two', 'u', 'pw')).end()
})

test('sql trap 29: a cluster of a name that was removed has no old data', async () => {
  const first = await postgres.open('p:r:three', soon())
  await first.createDatabase('old', undefined)
  await postgres.remove('p:r:three', soon())
  const second = await postgres.open('p:r:three', soon())
  expect((await second.databases()).map((database) => database.name)).toEqual(['postgres'])
})

test('sql trap 26: the socket of a name of 80 characters can be bound', async () => {
  const name = `p:r:${'i'.repeat(76)}`
  names.push(name)
  const cluster = await postgres.open(name, soon())
  expect(cluster.socketDirectory.length + '/.s.PGSQL.5432'.length).toBeLessThan(108)
})

test('a server that was killed is started again where the daemon watches', async () => {
  await using watching = openPostgres({ stateDirectory, log: openLog(undefined) })
  const cluster = await watching.open('p:r:one', soon())
  const client = await connect('p:r:one', 'app', 'pw')
  const ended = new Promise((resolve) => client.once('end', resolve))
  const sockets = readFileSync(join(cluster.socketDirectory, '.s.PGSQL.5432.lock'), 'utf8')
  process.kill(Number(sockets.split('\n')[0]), 'SIGKILL')
  await ended
  await expect.poll(() => cluster.users().catch(() => []), { timeout: 20_000 }).toContain('app')
})

test('what exists twice, or not at all, is named', async () => {
  const cluster = await postgres.open('p:r:one', soon())
  await expect(cluster.createDatabase('postgres', undefined)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  await expect(cluster.dropDatabase('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(cluster.dropUser('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(cluster.putUser('cloudsqladmin', 'x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})
