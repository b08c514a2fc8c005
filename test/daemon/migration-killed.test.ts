import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { eventually } from '../products/run/given-run.ts'
import { givenApp, server } from './given-app.ts'
import { outsideOf } from './leftovers.ts'

const settings = `project: migrates
instances:
  main: { version: POSTGRES_18, databases: [app], users: { app: { password: secret-of-app } } }
services:
  migrates:
    instances: [main]
    env: { SOCKETS: '/cloudsql/migrates:us-central1:main' }
    before: [node migrate.cjs]
`
/** Ten migrations, each one transaction of several statements, which takes a while; begins behind those that are done. */
const migrate = `
const { writeFileSync } = require('node:fs')
const pg = require(${JSON.stringify(createRequire(import.meta.url).resolve('pg'))})
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
;(async () => {
  const client = new pg.Client({ host: process.env.SOCKETS, port: 5432, user: 'app', password: 'secret-of-app', database: 'app' })
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS migrations (n int PRIMARY KEY)')
  const { rows } = await client.query('SELECT coalesce(max(n), 0) AS last FROM migrations')
  for (let n = rows[0].last + 1; n <= 10; n += 1) {
    await client.query('BEGIN')
    await client.query('CREATE TABLE t' + n + ' AS SELECT generate_series(1, 1000) AS id')
    writeFileSync(__dirname + '/step', String(n))
    await sleep(50)
    await client.query('ALTER TABLE t' + n + " ADD COLUMN told text NOT NULL DEFAULT 'yes'")
    await client.query('INSERT INTO migrations VALUES (' + n + ')')
    await client.query('COMMIT')
  }
  await client.end()
})().catch((error) => { console.error(error.message); process.exit(1) })
`

/** The postmaster of the only instance. */
function postmaster(stateDirectory: string): number {
  const homes = [...outsideOf(stateDirectory), join(stateDirectory, 'postgres')].filter(existsSync)
  const files = homes.flatMap((home) => readdirSync(home).map((name) => join(home, name, 'data/postmaster.pid')))
  const file = files.find(existsSync)
  return Number(readFileSync(file ?? '', 'utf8').split('\n')[0])
}

test('F48: Postgres killed amid a migration: each is there whole or not at all, the deployment fails, the old revision serves, the next one goes on', async () => {
  const app = givenApp('migrates', server("'before all'"), {
    'devcloud.yaml': settings.replace(/ {4}before.*\n/, ''),
    'migrate.cjs': migrate,
  })
  await using cli = givenCli()
  const up = () => cli.run(['up', '--engine', 'process'], { directory: app.directory })
  const first = await up()
  expect(first, first.stderr).toMatchObject({ code: 0 })
  const url = /http:\S+/.exec(first.stdout)?.[0] ?? ''
  const { stdout: host } = await cli.run(['exec', '--', 'sh', '-c', 'printf %s "$SOCKETS"'], { directory: app.directory })
  app.write('devcloud.yaml', settings)
  app.write('server.cjs', server("'after all'"))

  const step = join(app.directory, 'step')
  for (const [killedAt, waitMs] of [
    [1, 0],
    [3, 20],
    [4, 45],
    [6, 55],
    [9, 70],
  ] as const) {
    rmSync(step, { force: true })
    const deploying = up()
    await eventually('the migration is there', () => existsSync(step) && Number(readFileSync(step, 'utf8')) >= killedAt)
    await sleep(waitMs)
    process.kill(postmaster(cli.stateDirectory), 'SIGKILL')
    const told = await deploying
    expect(told, told.stdout).not.toMatchObject({ code: 0 })
    expect(told.stderr).toMatch(/migrate\.cjs" exited 1; the old revision still serves/)
    expect(await ask(url)).toMatchObject({ status: 200, body: 'before all' })

    const client = await eventually('the server is back', async () => {
      const made = new pg.Client({ host, port: 5432, user: 'app', password: 'secret-of-app', database: 'app' })
      made.on('error', () => {})
      return made.connect().then(
        () => made,
        () => undefined,
      )
    })
    const { rows } = await client.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE tablename ~ '^t[0-9]'")
    const { rows: done } = await client.query<{ n: number }>('SELECT n FROM migrations')
    expect(rows.map(({ name }) => name).toSorted()).toEqual(done.map(({ n }) => `t${n}`).toSorted())
    for (const { n } of done) {
      const { rows: all } = await client.query<{ count: string }>(`SELECT count(*) FROM t${n} WHERE told = 'yes'`)
      expect(all[0]?.count).toBe('1000')
    }
    await client.end()
  }
  const last = await up()
  expect(last, last.stderr).toMatchObject({ code: 0 })
  expect(await ask(url)).toMatchObject({ status: 200, body: 'after all' })
}, 240_000)
