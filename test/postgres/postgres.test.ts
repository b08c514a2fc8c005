import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/postgres/postgres.ts'

const stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-pg-'))
const postgres = openPostgres({ stateDirectory })
const names = ['p:r:one', 'p:r:two', 'p:r:three', 'p:r:lost', 'p:r:old']
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

const dataOf = (name: string) => join(dirname(postgres.socketDirectory(name)), 'data')

test('F26: a data folder that was removed or emptied is told, and never becomes an empty database; put back, it serves', async () => {
  const name = 'p:r:lost'
  const cluster = await postgres.open(name, soon())
  await cluster.createDatabase('kept', undefined)
  await postgres.stop(name, soon())
  renameSync(dataOf(name), `${dataOf(name)}-elsewhere`)
  const gone = { fault: 'POSTGRES_DATA_GONE', message: expect.stringContaining(`${dataOf(name)} was removed or emptied`) }
  await expect(postgres.reopen(name, soon())).rejects.toMatchObject(gone)
  expect(readdirSync(dirname(dataOf(name)))).not.toContain('data')
  rmSync(`${dataOf(name)}-elsewhere/PG_VERSION`)
  renameSync(`${dataOf(name)}-elsewhere`, dataOf(name))
  await expect(postgres.reopen(name, soon())).rejects.toMatchObject(gone)
  await expect(postgres.open(name, soon())).rejects.toMatchObject(gone)
  writeFileSync(join(dataOf(name), 'PG_VERSION'), `${postgres.major}\n`)
  expect((await (await postgres.reopen(name, soon())).databases()).map((database) => database.name)).toContain('kept')
})

test('F51: a data folder of another major version is refused with what dumps it, and not touched', async () => {
  const name = 'p:r:old'
  await postgres.open(name, soon())
  await postgres.stop(name, soon())
  writeFileSync(join(dataOf(name), 'PG_VERSION'), '16\n')
  const before = filesOf(dataOf(name))
  await expect(postgres.reopen(name, soon())).rejects.toMatchObject({
    fault: 'POSTGRES_MAJOR',
    message: expect.stringContaining(`of Postgres 16, and its server is now of Postgres ${postgres.major}`),
    next: expect.stringMatching(/docker run .* postgres:16 .*pg_dumpall/),
  })
  expect(filesOf(dataOf(name))).toEqual(before)
})

/** Each file of a folder with its bytes. */
function filesOf(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return paths.toSorted().map((path) => `${path} ${readFileSync(path).toString('latin1')}`)
}
