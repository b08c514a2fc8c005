import { Storage } from '@google-cloud/storage'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/base/crc32c.ts'
import { ask, givenCli, type GivenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

const settings = `project: kept-app
instances:
  main: { version: POSTGRES_18, databases: [kept], users: { kept: { password: secret-of-kept } } }
buckets: [kept-bytes]
services:
  kept-app: { instances: [main], env: { SOCKETS: '/cloudsql/kept-app:us-central1:main' } }
`

/** Google's client on the endpoints port of now; it does not try again by itself, so that what it acknowledges is one answer. */
async function storageOf(cli: GivenCli, directory: string): Promise<Storage> {
  const { stdout } = await cli.run(['env', '--endpoints', '--json'], { directory })
  const { STORAGE_EMULATOR_HOST: apiEndpoint = '' } = JSON.parse(stdout) as Record<string, string>
  return new Storage({ apiEndpoint, projectId: 'kept-app', retryOptions: { autoRetry: false } })
}

test('kill -9 of the daemon amid uploads and inserts: every acknowledged object and row is there, whole, and no other one in part', async () => {
  const app = givenApp('kept-app', server('process.pid'), { 'devcloud.yaml': settings })
  const { directory } = app
  await using cli = givenCli()
  const up = async () => {
    const told = await cli.run(['up', '--engine', 'process'], { directory })
    expect(told, told.stderr).toMatchObject({ code: 0 })
    return /http:\S+/.exec(told.stdout)?.[0] ?? ''
  }
  const url = await up()
  const { body: instance } = await ask(url)
  const { stdout: sockets } = await cli.run(['exec', '--', 'sh', '-c', 'printf %s "$SOCKETS"'], { directory })
  const database = new pg.Pool({ host: sockets, port: 5432, user: 'kept', password: 'secret-of-kept', database: 'kept', max: 2 })
  database.on('error', () => {})
  await database.query('CREATE TABLE rows (n int PRIMARY KEY)')

  const objects = new Map<string, number>()
  const rows: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const storage = await storageOf(cli, directory)
    const over = new AbortController()
    const upload = async (lane: number) => {
      for (let n = 0; !over.signal.aborted; n += 1) {
        const name = `round ${round}/lane ${lane}/${n}`
        const bytes = Buffer.alloc(1 + ((n * 98_765) % 700_000), `${name} `)
        const file = storage.bucket('kept-bytes').file(name)
        const acknowledged = await file.save(bytes, { resumable: lane === 0, validation: false }).then(
          () => true,
          () => false,
        )
        if (acknowledged) objects.set(name, crc32c(bytes))
      }
    }
    const insert = async () => {
      for (let n = round * 1_000_000; !over.signal.aborted; n += 1) {
        const done = await database.query('INSERT INTO rows VALUES ($1)', [n]).then(
          () => true,
          () => false,
        )
        if (done) rows.push(n)
      }
    }
    const work = Promise.all([upload(0), upload(1), upload(2), insert()])
    const before = objects.size
    while (objects.size < before + 12) await sleep(5)
    process.kill(await cli.daemonPid(), 'SIGKILL')
    over.abort()
    await work
    expect(await up()).toBe(url)
  }

  expect((await ask(url)).body).toBe(instance) // the very process went on
  const [files] = await (await storageOf(cli, directory)).bucket('kept-bytes').getFiles()
  const found = new Map(files.map((file) => [file.name, file]))
  expect([...objects.keys()].filter((name) => !found.has(name))).toEqual([])
  for (const [name, file] of found) {
    const [bytes] = await file.download({ validation: false })
    expect(Buffer.from(file.metadata.crc32c ?? '', 'base64').readUInt32BE(), name).toBe(crc32c(bytes))
    if (objects.has(name)) expect(crc32c(bytes), name).toBe(objects.get(name))
  }
  const { rows: kept } = await database.query<{ n: number }>('SELECT n FROM rows')
  const numbers = new Set(kept.map(({ n }) => n))
  expect(rows.filter((n) => !numbers.has(n))).toEqual([])
  await database.end()
}, 180_000)
