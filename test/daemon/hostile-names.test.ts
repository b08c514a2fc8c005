import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

type Json = Readonly<Record<string, unknown>>

/** Each makes a file of its own where a shell reads it. */
const mark = `pwned-${process.pid}`
const names = [`$(touch ${mark}-a)`, `$(touch ${tmpdir()}/${mark}-k)`, `\`touch ${mark}-b\``, `;touch ${mark}-c;`, `| touch ${mark}-d`, `&& touch ${mark}-e`, `'; touch ${mark}-f; '`, `"; touch ${mark}-g; "`, `--help`, `-v`, `\n touch ${mark}-h\n`] // prettier-ignore

test('S19: names reach no shell: of folders, databases, users, secrets, objects, accounts, images, containers, variables and commands', async () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'names-')))
  const folder = join(parent, `$(touch ${mark}-i);\`touch ${mark}-j\``)
  mkdirSync(folder)
  const app = givenApp('named-app', server(`JSON.stringify([process.env.HOSTILE, process.argv[2]])`), {})
  app.write('../package.json', '{}')
  await using cli = givenCli({ stateDirectory: join(folder, 'state') })
  const devcloud = (...args: readonly string[]) => cli.run(args, { directory: app.directory })

  const [first = ''] = names
  app.write(
    'devcloud.yaml',
    JSON.stringify({
      instances: { main: { version: 'POSTGRES_18' } },
      buckets: ['named-app-bytes'],
      services: { 'named-app': { command: ['node', 'server.cjs', first], env: { HOSTILE: first } } },
    }),
  )
  const up = await devcloud('up', '--engine', 'process')
  expect(up, up.stderr).toMatchObject({ code: 0 })
  const url = /http:\S+/.exec(up.stdout)?.[0] ?? ''
  expect(JSON.parse((await ask(url)).body)).toEqual([first, first]) // as it was written

  const { stdout } = await devcloud('env', '--endpoints', '--json')
  const base = (JSON.parse(stdout) as Readonly<Record<string, string>>)['STORAGE_EMULATOR_HOST'] ?? ''
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(base + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
    return { status: response.status, body: (await response.json().catch(() => ({}))) as Json }
  }
  const sql = '/sql/v1beta4/projects/named-app/instances'
  const run = '/v2/projects/named-app/locations/us-central1'
  for (const name of names) {
    const encoded = encodeURIComponent(name)
    // what Google takes as a name is taken whole
    expect(await call('POST', `${sql}/main/databases`, { name }), name).toMatchObject({ status: 200 })
    expect((await call('GET', `${sql}/main/databases/${encoded}`)).body['name']).toBe(name)
    expect(await call('DELETE', `${sql}/main/databases/${encoded}`), name).toMatchObject({ status: 200 })
    expect(await call('POST', `${sql}/main/users`, { name, password: name }), name).toMatchObject({ status: 200 })
    const user = (await call('GET', `${sql}/main/users`)).body['items'] as readonly Json[]
    expect(user.map((found) => found['name'])).toContain(name)
    if (!name.includes('\n')) {
      const upload = `/upload/storage/v1/b/named-app-bytes/o?uploadType=media&name=${encoded}`
      expect(await call('POST', upload, 'bytes'), name).toMatchObject({ status: 200, body: { name } })
    }
    const secret = await call('POST', `/v1/projects/named-app/secrets?secretId=${encoded}`, { replication: { automatic: {} } })
    expect(secret.status, name).toBe(/^[\w-]+$/.test(name) ? 200 : 400)
    // what it does not is refused before anything runs
    const container = { image: name, command: [name], args: [name], env: [{ name: 'A', value: name }] }
    for (const [path, body] of [
      [sql, { name }],
      [`/v1/projects/named-app/serviceAccounts`, { accountId: name }],
      [`/storage/v1/b?project=named-app`, { name }],
      [`${run}/services?serviceId=${encoded}`, { template: { containers: [container] } }],
      [`${run}/jobs?jobId=${encoded}`, { template: { template: { containers: [container] } } }],
      [`${run}/services?serviceId=x`, { template: { containers: [{ ...container, name }] } }],
    ] as const)
      expect((await call('POST', path, body)).status, `${path} ${name}`).toBe(400)
    // an image of that name is asked for as one word, and is not there
    await call('POST', `${run}/jobs?jobId=job-${names.indexOf(name)}`, {
      template: { template: { containers: [container], maxRetries: 0 } },
    })
    await call('POST', `${run}/jobs/job-${names.indexOf(name)}:run`)
  }
  for (const name of names.slice(0, 4)) {
    await devcloud('run', 'services', 'describe', name)
    await devcloud('logs', name)
    await devcloud('exec', '--', 'echo', name)
    await devcloud('up', '--plan', name)
  }

  const places = [process.cwd(), homedir(), tmpdir(), '/', parent, folder, app.directory, join(app.directory, '..'), cli.stateDirectory]
  const made = places.flatMap((place) => (existsSync(place) ? readdirSync(place).filter((name) => name.startsWith(mark)) : []))
  expect(made).toEqual([])
}, 240_000)
