import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { openPostgres, type Postgres } from '../../src/postgres/postgres.ts'
import { CloudError } from '../../src/base/cloud-error.ts'

const stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-pgc-'))
const projectFolder = mkdtempSync(join(tmpdir(), 'devcloud-pgp-'))
const engine = await openDockerEngine({
  stateDirectory,
  log: pino({ level: 'silent' }),
  gateway: { socketPath: join(stateDirectory, 'g') },
})
const project = `pg-test-${process.pid}`
const soon = () => AbortSignal.timeout(60_000)
const name = (instance: string) => `${project}:europe-west1:${instance}`
const daemon = (log?: Log) =>
  openPostgres({ stateDirectory, containersFor: async () => engine, directoryOf: () => projectFolder, ...(log && { log }) })
const postgres = daemon()
const instances = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'old', 'lost', 'newer', 'absent']

afterAll(async () => {
  rmSync(join(projectFolder, 'compose'), { recursive: true, force: true })
  for (const instance of instances) await postgres.remove(name(instance), soon())
  postgres.purge()
  await engine.removeProject(project, soon())
  rmSync(stateDirectory, { recursive: true, force: true })
  rmSync(projectFolder, { recursive: true, force: true })
})

async function connect(instance: string, user: string, password: string, database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ host: postgres.socketDirectory(name(instance)), user, password, database })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function containerOf(instance: string) {
  return (await engine.list(soon())).find(({ labels }) => labels['database'] === name(instance))
}

/** A cluster with a user `u`, whose table `kept` has one row, committed. */
async function givenRow(instance: string, on: Postgres = postgres): Promise<void> {
  const cluster = await on.open(name(instance), soon(), 15)
  await cluster.createDatabase('app', undefined)
  await cluster.putUser('u', 'pw')
  const client = await connect(instance, 'u', 'pw', 'app')
  await client.query("CREATE TABLE kept AS SELECT 'row' AS v")
  await client.end()
}

async function rows(instance: string): Promise<readonly unknown[]> {
  const client = await connect(instance, 'u', 'pw', 'app')
  try {
    return (await client.query('SELECT v FROM kept')).rows
  } finally {
    await client.end()
  }
}

test('an instance that wants Postgres 15 runs in a container of that image, and says so', async () => {
  const cluster = await postgres.open(name('one'), soon(), 15)
  expect(await cluster.version()).toMatch(/^15\.\d+$/)
  const container = await containerOf('one')
  expect(container).toMatchObject({ state: 'running', project })
  expect(await cluster.users()).toEqual(['postgres'])
  expect((await cluster.databases()).map((database) => database.name)).toEqual(['postgres'])
})

test('S9: its container has no published port, no way out, and no password in its environment', async () => {
  await postgres.open(name('one'), soon(), 15)
  const id = (await containerOf('one'))?.id ?? ''
  const told = execFileSync('docker', ['inspect', id]).toString()
  const [info] = JSON.parse(told) as [{ NetworkSettings: { Ports: Record<string, unknown>; Networks: Record<string, unknown> } }]
  expect(Object.values(info.NetworkSettings.Ports).filter((port) => port !== null)).toEqual([])
  const [network = ''] = Object.keys(info.NetworkSettings.Networks)
  expect(execFileSync('docker', ['network', 'inspect', '-f', '{{.Internal}}', network]).toString().trim()).toBe('true')
  expect(told).not.toContain('POSTGRES_PASSWORD=')
})

test('sql trap 22: in a container too, a user made by the API may create tables', async () => {
  await givenRow('two')
  expect(await rows('two')).toEqual([{ v: 'row' }])
})

test('sql trap 23: in a container too, such a user creates the extensions of Cloud SQL, and runs no program', async () => {
  const cluster = await postgres.open(name('one'), soon(), 15)
  await cluster.putUser('ext', 'pw')
  const client = await connect('one', 'ext', 'pw')
  await client.query('CREATE EXTENSION pg_stat_statements')
  await client.query('CREATE EXTENSION hstore')
  await expect(client.query("COPY (SELECT 1) TO PROGRAM 'true'")).rejects.toThrow(/permission denied|must be superuser/)
  await expect(client.query('ALTER ROLE ext SUPERUSER')).rejects.toThrow(/must be superuser|permission denied/)
  await client.end()
  await expect(connect('one', 'ext', 'wrong')).rejects.toThrow('password authentication failed')
})

test('sql trap 26: in a container too, a name of 80 characters has a socket that can be bound', async () => {
  const long = 'i'.repeat(80 - name('').length)
  instances.push(long)
  const cluster = await postgres.open(name(long), soon(), 15)
  expect(cluster.socketDirectory.length + '/.s.PGSQL.5432'.length).toBeLessThan(108)
})

test('sql trap 27: rows and passwords outlive stop, and the folder of the socket stays the same', async () => {
  await givenRow('three')
  const before = statSync(postgres.socketDirectory(name('three'))).ino
  const idle = await connect('three', 'u', 'pw') // a client that never leaves does not hold up the stop
  await postgres.stop(name('three'), soon())
  await idle.end().catch(() => {})
  expect(await containerOf('three')).toBeUndefined()
  await postgres.open(name('three'), soon(), 15)
  expect(await rows('three')).toEqual([{ v: 'row' }])
  expect(statSync(postgres.socketDirectory(name('three'))).ino).toBe(before)
})

test('sql trap 28: a later daemon finds the container of the one before, and its data where it is', async () => {
  await givenRow('four')
  const before = (await containerOf('four'))?.id
  const second = daemon()
  expect(await (await second.open(name('four'), soon())).users()).toContain('u')
  expect((await containerOf('four'))?.id).toBe(before)
  await second.open(name('four'), soon(), 17) // what is there is not asked for again
  expect(await rows('four')).toEqual([{ v: 'row' }])
})

test('a server that was killed keeps what was committed, and runs again when it is opened', async () => {
  await givenRow('five')
  const before = (await containerOf('five'))?.id ?? ''
  execFileSync('docker', ['kill', before])
  await postgres.open(name('five'), soon(), 15)
  expect((await containerOf('five'))?.id).not.toBe(before)
  expect(await rows('five')).toEqual([{ v: 'row' }])
  execFileSync('docker', ['rm', '-f', (await containerOf('five'))?.id ?? ''])
  await postgres.open(name('five'), soon(), 15)
  expect(await rows('five')).toEqual([{ v: 'row' }])
})

test('a server that ends by itself runs again without being asked for', async () => {
  await using watching = daemon(pino({ level: 'silent' }))
  await watching.open(name('five'), soon(), 15)
  const before = (await containerOf('five'))?.id ?? ''
  execFileSync('docker', ['kill', before])
  await expect.poll(() => rows('five').catch(() => []), { timeout: 20_000 }).toEqual([{ v: 'row' }])
  await watching.stop(name('five'), soon())
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await containerOf('five')).toBeUndefined() // one that was stopped does not
})

test('a start that was cut short in its initialization begins anew', async () => {
  const cut = new AbortController()
  const opened = postgres.open(name('six'), cut.signal, 15)
  while ((await containerOf('six')) === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
  cut.abort()
  await expect(opened).rejects.toThrow()
  const container = await containerOf('six')
  if (container !== undefined) execFileSync('docker', ['kill', container.id])
  await givenRow('six')
  expect(await rows('six')).toEqual([{ v: 'row' }])
})

test('sql trap 29: an instance of a name that was removed has no old data', async () => {
  await givenRow('seven')
  const folder = postgres.socketDirectory(name('seven'))
  const mounts = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
  const volumes = execFileSync('docker', ['inspect', '-f', mounts, (await containerOf('seven'))?.id ?? ''])
    .toString()
    .trim()
    .split(' ')
  expect(volumes).toHaveLength(1)
  await postgres.remove(name('seven'), soon())
  expect(existsSync(folder)).toBe(false)
  const left = execFileSync('docker', ['run', '--rm', '--entrypoint', 'ls', '-v', `${volumes[0]}:/v`, 'postgres:15', '-A', '/v'])
  expect(left.toString()).toBe('')
  expect(await containerOf('seven')).toBeUndefined()
  const again = await postgres.open(name('seven'), soon(), 15)
  expect((await again.databases()).map((database) => database.name)).toEqual(['postgres'])
})

test('an image that is nowhere gives an embedded server, which stays one', async () => {
  const cluster = await postgres.open(name('old'), soon(), 99) // no registry has postgres:99
  expect(await cluster.version()).toMatch(new RegExp(`^${postgres.major}\\.`))
  await postgres.stop(name('old'), soon())
  expect(await (await postgres.open(name('old'), soon(), 15)).version()).toMatch(new RegExp(`^${postgres.major}\\.`))
  expect(await containerOf('old')).toBeUndefined()
})

test('data in a volume is never replaced by an empty cluster when Docker is away', async () => {
  await postgres.open(name('one'), soon(), 15)
  await postgres.stop(name('one'), soon())
  const away = new CloudError('UNAVAILABLE', 'Docker is not running.', '', { fault: 'DOCKER_UNREACHABLE' })
  const without = openPostgres({ stateDirectory, containersFor: () => Promise.reject(away) })
  await expect(without.open(name('one'), soon(), 15)).rejects.toMatchObject({ fault: 'DOCKER_UNREACHABLE' })
  await expect(openPostgres({ stateDirectory }).open(name('one'), soon())).rejects.toMatchObject({ fault: 'DOCKER_UNREACHABLE' })
  expect(await (await postgres.open(name('one'), soon(), 15)).users()).toContain('ext')
})

/** Runs `program` with the volume of `instance` at /data. */
function inVolume(instance: string, program: string): string {
  const listed = execFileSync('docker', ['volume', 'ls', '-q', '--filter', `name=${volumeOf(instance)}`], { encoding: 'utf8' }).trim()
  const args = ['run', '--rm', '--network', 'none', '-v', `${listed}:/data`, '--entrypoint', 'sh', 'postgres:15', '-c', program]
  return execFileSync('docker', args, { encoding: 'utf8' })
}

function volumeOf(instance: string): string {
  const place = readFileSync(join(postgres.socketDirectory(name(instance)), '../place.json'), 'utf8')
  return (JSON.parse(place) as { readonly volume: string }).volume
}

test('F26: a volume that was removed or emptied is told, and never becomes an empty database', async () => {
  await givenRow('lost')
  await postgres.stop(name('lost'), soon())
  inVolume('lost', 'mkdir /data/aside && mv /data/PG_VERSION /data/aside')
  const gone = {
    fault: 'POSTGRES_DATA_GONE',
    message: expect.stringContaining(volumeOf('lost')),
    next: expect.stringContaining('delete lost'),
  }
  await expect(postgres.reopen(name('lost'), soon())).rejects.toMatchObject(gone)
  await expect(postgres.open(name('lost'), soon(), 15)).rejects.toMatchObject(gone)
  inVolume('lost', 'mv /data/aside/PG_VERSION /data && rmdir /data/aside')
  await postgres.reopen(name('lost'), soon())
  expect(await rows('lost')).toEqual([{ v: 'row' }])

  await postgres.stop(name('lost'), soon())
  execFileSync('docker', [
    'volume',
    'rm',
    ...execFileSync('docker', ['volume', 'ls', '-q', '--filter', `name=${volumeOf('lost')}`], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean),
  ])
  await expect(postgres.reopen(name('lost'), soon())).rejects.toMatchObject(gone)
  expect(await containerOf('lost')).toBeUndefined()
})

test('F51: a volume of another major version is refused with what upgrades it, and not touched', async () => {
  await givenRow('newer')
  await postgres.stop(name('newer'), soon())
  inVolume('newer', 'echo 14 > /data/PG_VERSION')
  const sums = () => inVolume('newer', 'cd /data && find . -type f | sort | xargs md5sum')
  const before = sums()
  await expect(postgres.reopen(name('newer'), soon())).rejects.toMatchObject({
    fault: 'POSTGRES_MAJOR',
    message: expect.stringContaining('is of Postgres 14, and its server is now of Postgres postgres:15'),
    next: expect.stringContaining('postgres:14'),
  })
  expect(sums()).toBe(before)
  inVolume('newer', 'echo 15 > /data/PG_VERSION')
  await postgres.reopen(name('newer'), soon())
  expect(await rows('newer')).toEqual([{ v: 'row' }])
})

test("the project's own compose/postgres.yaml decides command, environment and memory", async () => {
  given(`
services:
  postgres:
    image: postgres:\${POSTGRES_VERSION:-15}
    command: postgres -c work_mem=7MB -c listen_addresses=*
    environment: [PGOPTIONS=, TZ=Europe/Berlin]
    mem_limit: 256m
    healthcheck: {test: [CMD-SHELL, 'test "$$TZ" = Europe/Berlin'], interval: 1s, retries: 3}
`)
  await postgres.stop(name('two'), soon())
  await postgres.open(name('two'), soon(), 15)
  given(undefined)
  const client = await connect('two', 'u', 'pw')
  expect((await client.query('SHOW work_mem')).rows).toEqual([{ work_mem: '7MB' }])
  expect((await client.query('SHOW listen_addresses')).rows).toEqual([{ listen_addresses: '' }])
  await client.end()
  const memory = execFileSync('docker', ['inspect', '-f', '{{.HostConfig.Memory}}', (await containerOf('two'))?.id ?? '']).toString()
  expect(Number(memory)).toBe(256 * 2 ** 20)
})

test("an image that the project's own compose/postgres.yaml names and that is not there is told; no other server runs in its place", async () => {
  given('services: {postgres: {image: "localhost:9/nobody/postgres:1"}}')
  await expect(postgres.open(name('absent'), soon(), 15)).rejects.toMatchObject({
    fault: 'IMAGE_UNKNOWN',
    message: expect.stringMatching(/^The image localhost:9\/nobody\/postgres:1, which .*compose\/postgres.yaml names/),
  })
  given(undefined)
})

test('a server that cannot start tells its own last words', async () => {
  given('services: {postgres: {image: "postgres:15", command: [postgres, -c, nonsense=1]}}')
  await postgres.stop(name('two'), soon())
  const failing = postgres.open(name('two'), soon(), 15)
  await expect(failing).rejects.toMatchObject({ fault: 'POSTGRES_FAILED' })
  const error = (await failing.catch((caught: unknown) => caught)) as CloudError
  expect(error.evidence.join('\n')).toContain('nonsense')
  given(undefined)
  await postgres.open(name('two'), soon(), 15)
  expect(await rows('two')).toEqual([{ v: 'row' }])
})

test('what is removed leaves no container, and removing the project leaves no network and no volume', async () => {
  for (const instance of instances) await postgres.remove(name(instance), soon())
  expect(await engine.list(soon())).toEqual([])
  await engine.removeProject(project, soon())
  for (const kind of ['volume', 'network']) {
    expect(execFileSync('docker', [kind, 'ls', '-q', '--filter', `label=dev.devcloud.project=${project}`]).toString()).toBe('')
  }
})

function given(compose: string | undefined): void {
  const path = join(projectFolder, 'compose/postgres.yaml')
  mkdirSync(join(projectFolder, 'compose'), { recursive: true })
  if (compose === undefined) rmSync(path, { force: true })
  else writeFileSync(path, compose)
}
