import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { givenApp } from './given-app.ts'
import { filesIn } from './leftovers.ts'

type Json = Readonly<Record<string, unknown>>

/** Each is told to the cloud as a secret of its own kind. None has a meaning, so that a hit is a leak. */
const canaries = {
  secret: 'canary-payload-7f3a9c51',
  file: 'canary-file-2b8e4d70',
  password: 'canary-password-c41f6e93',
  rootPassword: 'canary-root-98d27ab4',
  changed: 'canary-changed-5e0b13f8',
}

const program = `const http = require('node:http')
console.log('ready with', Object.keys(process.env).includes('TOKEN'))
http.createServer((request, response) => response.end(process.env.TOKEN === '${canaries.secret}' ? 'has it' : 'has it not')).listen(process.env.PORT, '0.0.0.0')
`

const settings = `secrets:
  token: { value: ${canaries.secret} }
  certificate: { file: certificate.pem }
instances:
  main: { version: POSTGRES_18, databases: [app], users: { app: { password: ${canaries.password} } } }
services:
  canary-app: { env: { TOKEN: { secret: token } }, files: [{ mountPath: /secrets, secret: certificate }], instances: [main] }
jobs:
  nightly: { service: canary-app, command: [node, -e, "process.exit(3)"], env: { TOKEN: { secret: token } }, maxRetries: 0 }
`

test('S16, S17: secrets are in no list, description, log, error, record and command line of devcloud; who asks for one gets it', async () => {
  const app = givenApp('canary-app', program, { 'devcloud.yaml': settings, 'certificate.pem': canaries.file })
  const { directory } = app
  await using cli = givenCli()
  const seen: (readonly [what: string, text: string])[] = []
  const devcloud = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await cli.run(args, { directory })
    seen.push([`devcloud ${args.join(' ')}`, stdout + stderr])
    return { stdout, code }
  }
  expect((await devcloud('up', '--engine', 'process', '--verbose', '--json')).code).toBe(0)
  const { stdout } = await cli.run(['env', '--endpoints', '--json'], { directory })
  const endpoints = JSON.parse(stdout) as Readonly<Record<string, string>>
  const base = endpoints['STORAGE_EMULATOR_HOST'] ?? ''
  const ask = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const response = await fetch(base + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    seen.push([`${method} ${path}`, text])
    return JSON.parse(text || '{}') as Json
  }
  const project = 'projects/canary-app'
  const sql = `/sql/v1beta4/${project}/instances/main`
  const secrets = `/v1/${project}/secrets`
  const run = `/v2/${project}/locations/us-central1`

  // changed and given anew, rightly and wrongly
  await ask('PATCH', sql, { rootPassword: canaries.rootPassword })
  await ask('PUT', `${sql}/users?name=app`, { name: 'app', password: canaries.changed })
  await ask('POST', `${sql}/users`, { name: 'x'.repeat(70), password: canaries.changed })
  await ask('POST', `${sql}/users`, { name: 'app', password: canaries.changed, type: 'CLOUD_IAM_USER' })
  await ask('PUT', `${sql}/users?name=nobody`, { password: canaries.changed })
  await ask('POST', `/sql/v1beta4/${project}/instances`, { name: 'Bad_Name', rootPassword: canaries.rootPassword })
  const payload = (text: string, more: Json = {}) => ({ payload: { data: Buffer.from(text).toString('base64'), ...more } })
  await ask('POST', `${secrets}/token:addVersion`, payload(canaries.secret, { dataCrc32c: '1' }))
  await ask('POST', `${secrets}/nothing:addVersion`, payload(canaries.secret))
  await ask('POST', `${secrets}/token:addVersion`, { payload: { data: canaries.secret, colour: 'red' } })
  const account = (await ask('POST', `/v1/${project}/serviceAccounts`, { accountId: 'key-holder' }))['name']
  const key = await fetch(`${base}/v1/${String(account)}/keys`, { method: 'POST', body: '{}' }).then(
    (answer) => answer.json() as Promise<Json>,
  )
  const keyFile = JSON.parse(Buffer.from(String(key['privateKeyData']), 'base64').toString()) as Json
  const [, privateLine = ''] = String(keyFile['private_key']).split('\n')

  // asked for in every way but the one that gives it
  for (const path of [
    secrets,
    `${secrets}/token`,
    `${secrets}/token/versions`,
    `${secrets}/token/versions/1`,
    `${secrets}?filter=name:token`,
    sql,
    `${sql}/users`,
    `${sql}/users/app`,
    `${sql}/databases`,
    `/sql/v1beta4/${project}/operations`,
    `${run}/services`,
    `${run}/services/canary-app`,
    `${run}/services/canary-app/revisions`,
    `${run}/jobs`,
    `${run}/operations`,
    ...['services', 'revisions', 'configurations', 'routes'].map((kind) => `/apis/serving.knative.dev/v1/namespaces/canary-app/${kind}`),
    `/v1/${String(account)}/keys`,
    `/v1/${String(account)}`,
    `/v1/${project}/serviceAccounts`,
  ])
    await ask('GET', path)
  for (const args of [
    ['status'],
    ['status', '--json'],
    ['ps'],
    ['ps', '--json'],
    ['doctor'],
    ['doctor', '--json'],
    ['env'],
    ['env', '--json'],
    ['up', '--plan'],
    ['up', '--plan', '--json'],
    ['init', '--help'],
    ['daemon', 'status', '--json'],
    ['logs'],
    ['logs', '--json'],
    ['run', 'services', 'list'],
    ['run', 'services', 'describe', 'canary-app'],
    ['run', 'revisions', 'list'],
    ['run', 'jobs', 'list'],
    ['run', 'services', 'describe', 'canary-app', '--format', 'export'],
    ['run', 'jobs', 'describe', 'nightly', '--format', 'json'],
    ['run', 'jobs', 'execute', 'nightly', '--wait'],
    ['logs', 'nightly'],
    ['run', 'jobs', 'executions', 'list'],
    ['run', 'services', 'describe', 'nothing'],
    ['up', '--engine', 'docker', '--plan'],
  ])
    await devcloud(...args)

  const told = (what: string) => seen.find(([name]) => name === what)?.[1]
  expect(told('devcloud run services describe canary-app')).toContain('token') // the secret's name, not what is in it
  expect(told('devcloud logs')).toContain('ready with true')
  const access = await fetch(`${base}${secrets}/token/versions/latest:access`).then((answer) => answer.json() as Promise<Json>)
  expect(Buffer.from(String((access['payload'] as Json)['data']), 'base64').toString()).toBe(canaries.secret)

  const words = [
    ...Object.values(canaries),
    ...Object.values(canaries).map((text) => Buffer.from(text).toString('base64').slice(0, 20)),
    privateLine,
  ]
  const hits = (what: string, text: string) => words.filter((word) => text.includes(word)).map((word) => `${word} in ${what}`)
  expect(seen.flatMap(([what, text]) => hits(what, text))).toEqual([])
  expect(commandLines().flatMap(([what, text]) => hits(what, text))).toEqual([])

  await cli.run(['daemon', 'stop']) // all of the database in one file
  const files = filesIn(cli.stateDirectory).filter((path) => lstatSync(path).isFile() && !/state\.db/.test(path))
  expect(files.some((path) => path.endsWith('daemon.log'))).toBe(true)
  expect(files.flatMap((path) => hits(path, readFileSync(path, 'latin1')))).toEqual([])
  expect(rowsOf(join(cli.stateDirectory, 'state.db'), ['secret_versions']).flatMap(([what, text]) => hits(what, text))).toEqual([])
}, 240_000)

/** Every process of this machine; the words of the test's own command line are none of devcloud's. */
function commandLines(): readonly (readonly [string, string])[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return [[`/proc/${pid}/cmdline`, readFileSync(`/proc/${pid}/cmdline`, 'utf8')] as const]
      } catch {
        return []
      }
    })
}

/** Every row of every table but those of `without`, as text. */
function rowsOf(path: string, without: readonly string[]): readonly (readonly [string, string])[] {
  using db = new DatabaseSync(path, { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all()
  return tables
    .map(({ name }) => String(name))
    .filter((name) => !without.includes(name))
    .flatMap((name) =>
      db
        .prepare(`SELECT * FROM "${name}"`)
        .all()
        .map((row) => [`table ${name}`, textOf(row)] as const),
    )
}

function textOf(row: Readonly<Record<string, unknown>>): string {
  return Object.values(row)
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
    .join(' ')
}

test('S19: no source of devcloud gives a line to a shell but where the user wrote one', () => {
  const root = fileURLToPath(new URL('../../src', import.meta.url))
  const sources = filesIn(root).filter((path) => path.endsWith('.ts') && !path.includes('/gen/'))
  expect(sources.length).toBeGreaterThan(100)
  const found = sources.filter((path) => {
    const text = readFileSync(path, 'utf8')
    return /import \{[^}]*\bexec(Sync)?\b[^}]*\} from 'node:child_process'/.test(text) || /\bshell: (true|['"`])/.test(text)
  })
  expect(found).toEqual([])
})
