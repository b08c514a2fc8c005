import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allProjects, cleanProject, cleanProjects } from '../../src/daemon/clean.ts'
import { projectSocketFolder } from '../../src/base/paths.ts'
import type { UpEvent } from '../../src/daemon/control-protocol.ts'
import { openDaemon } from '../../src/daemon/daemon.ts'
import type { House } from '../../src/daemon/house.ts'
import type { State } from '../../src/state/state.ts'
import { filesIn, outsideOf, processesOf } from './leftovers.ts'

const run = 'https://run.googleapis.com/v2'
const region = 'us-central1'

/** A house of its own, in which no project was made by hand. Disposed, nothing of it is left. */
async function givenHouse(): Promise<{ readonly house: House; readonly stateDirectory: string } & AsyncDisposable> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-clean-'))
  const daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
  return {
    house: daemon.house,
    stateDirectory,
    async [Symbol.asyncDispose]() {
      await cleanProjects(daemon.house, allProjects(daemon.house), () => {}).catch(() => {})
      daemon.house.foundation.postgres.purge()
      await daemon[Symbol.asyncDispose]()
      rmSync(stateDirectory, { recursive: true, force: true })
    },
  }
}

/** Something of every product, much of it protected or half made. */
async function fill({ api, foundation, identities }: House, project: string): Promise<void> {
  const { projects, engines } = foundation
  await projects.put({ ...projects.get(project), directory: tmpdir(), engine: 'process' })
  const engine = await engines.choose('process')
  const directory = mkdtempSync(join(tmpdir(), 'clean-app-'))
  const program = `require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT)`
  const { image } = await engine.build(
    { project, name: 'web', directory, command: ['node', '-e', program] },
    () => {},
    AbortSignal.timeout(60_000),
  )
  const parent = `projects/${project}/locations/${region}`
  const sleeper = { image, command: ['node', '-e', 'setTimeout(() => {}, 1e8)'] }
  const settled = async (operation: Record<string, unknown>) => {
    while (operation['done'] !== true) operation = await api.call('POST', `${run}/${String(operation['name'])}:wait`, { timeout: '10s' })
  }
  const policy = { policy: { bindings: [{ role: 'roles/viewer', members: ['user:a@example.com'] }] } }
  await settled(await api.call('POST', `${run}/${parent}/services?serviceId=web`, { template: { containers: [{ image }] } }))
  await settled(await api.call('POST', `${run}/${parent}/services?serviceId=gone`, { template: { containers: [{ image }] } }))
  await settled(await api.call('DELETE', `${run}/${parent}/services/gone`))
  await api.call('POST', `${run}/${parent}/services/web:setIamPolicy`, policy)
  // never comes up: half made when the project goes
  const deaf = { image, command: ['node', '-e', 'setTimeout(() => {}, 1e8)'] }
  await api.call('POST', `${run}/${parent}/services?serviceId=deaf`, { template: { containers: [deaf] } })
  await api.call('POST', `${run}/${parent}/jobs?jobId=job`, { template: { template: { containers: [sleeper] } } })
  await api.call('POST', `${run}/${parent}/jobs/job:setIamPolicy`, policy)
  await api.call('POST', `${run}/${parent}/jobs/job:run`, {})
  await settled(await api.call('POST', `${run}/${parent}/workerPools?workerPoolId=pool`, { template: { containers: [sleeper] } }))
  const deadPool = { template: { containers: [{ image, command: ['false'] }] } }
  await api.call('POST', `${run}/${parent}/workerPools?workerPoolId=crashes`, deadPool)

  const secrets = `https://secretmanager.googleapis.com/v1/projects/${project}`
  await api.call('POST', `${secrets}/secrets?secretId=key`, { replication: { automatic: {} }, versionDestroyTtl: '86400s' })
  await api.call('POST', `${secrets}/secrets/key:addVersion`, { payload: { data: Buffer.from('canary').toString('base64') } })
  await api.call('POST', `${secrets}/secrets/key:setIamPolicy`, policy)

  const storage = `https://storage.googleapis.com/storage/v1`
  await api.call('POST', `${storage}/b?project=${project}`, { name: `${project}-bytes`, retentionPolicy: { retentionPeriod: '86400' } })
  await api.call('POST', `https://storage.googleapis.com/upload${storage.slice(30)}/b/${project}-bytes/o?uploadType=media&name=a`, 'bytes')
  await api.call('POST', `https://storage.googleapis.com/upload${storage.slice(30)}/b/${project}-bytes/o?uploadType=resumable&name=b`, {})

  const sql = `https://sqladmin.googleapis.com/sql/v1beta4/projects/${project}/instances`
  await api.call('POST', sql, {
    name: 'main',
    region,
    databaseVersion: 'POSTGRES_18',
    settings: { tier: 'db-f1-micro', deletionProtectionEnabled: true },
  })

  const iam = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`
  const { email } = await api.call('POST', iam, { accountId: 'worker', serviceAccount: {} })
  await api.call('POST', `${iam}/${String(email)}/keys`, {})
  await api.call('POST', `${iam}/${String(email)}:setIamPolicy`, policy)
  await api.call('POST', `${iam}/${String(email)}:disable`, {})
  await api.call('POST', `https://cloudresourcemanager.googleapis.com/v3/projects/${project}:setIamPolicy`, policy)
  await api.call('POST', `https://serviceusage.googleapis.com/v1/projects/${project}/services/run.googleapis.com:disable`, {})
  await identities.listen(project, String(email))
}

/** Every row of every table that names one of `words`, as `TABLE: ROW`. */
function rowsNaming({ db }: State, ...words: readonly string[]): string[] {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all()
  return tables.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .map((row) =>
        Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value))),
      )
      .map((values) => values.flatMap((value) => [value, Buffer.from(value, 'base64').toString('latin1')]).join(' '))
      .filter((text) => words.some((word) => text.includes(word)))
      .map((text) => `${String(name)}: ${text.slice(0, 200)}`),
  )
}

test('clean leaves no row of any table, no process, no file and no port of a project, whatever was protected or half made', async () => {
  await using given = await givenHouse()
  const { house, stateDirectory } = given
  const { state, projects, router } = house.foundation
  await fill(house, 'clean-me')
  const { number } = projects.get('clean-me')
  const port = await house.identities.listen('clean-me', `${number}-compute@developer.gserviceaccount.com`)
  await fetch(`http://127.0.0.1:${router.port}/`, { headers: { host: 'web.localhost' } }).catch(() => {})
  expect(rowsNaming(state, 'clean-me', number).length).toBeGreaterThan(20)

  await cleanProject(house, 'clean-me', () => {})
  await new Promise((resolve) => setTimeout(resolve, 500)) // what was under way may write still
  expect(rowsNaming(state, 'clean-me', number)).toEqual([])
  expect(projects.list()).toEqual([])
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  expect(existsSync(projectSocketFolder(house.gateway.socketPath, 'clean-me'))).toBe(false)
  house.foundation.postgres.purge()
  expect(filesIn(...outsideOf(stateDirectory))).toEqual([])
  const ofProject = /clean-me|canary|\/(blobs|images|containers|uploads)\/./
  expect(filesIn(stateDirectory).filter((path) => ofProject.test(path))).toEqual([])
  expect(processesOf(stateDirectory)).toEqual([])
})

test('clean --all removes projects that only clients spoke of; one that cannot be cleaned is named, stays, and keeps no other', async () => {
  await using given = await givenHouse()
  const { house } = given
  const { state, projects } = house.foundation
  const secrets = 'https://secretmanager.googleapis.com/v1/projects'
  for (const project of ['first-project', 'stuck-project', 'third-project']) {
    await house.api.call('POST', `${secrets}/${project}/secrets?secretId=key`, { replication: { automatic: {} } })
    await house.api.call('POST', `https://storage.googleapis.com/storage/v1/b?project=${project}`, { name: `${project}-bytes` })
    await house.api.call('POST', `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`, { accountId: 'worker' })
  }
  expect(allProjects(house)).toEqual(expect.arrayContaining(['first-project', 'stuck-project', 'third-project']))
  // its engine is a Docker that is not there
  await projects.put({ ...projects.get('stuck-project'), engine: 'docker' })
  const before = process.env['DOCKER_HOST']
  process.env['DOCKER_HOST'] = 'unix:///nowhere/docker.sock'
  const events: UpEvent[] = []
  try {
    const cleaning = cleanProjects(house, allProjects(house), (event) => void events.push(event))
    await expect(cleaning).rejects.toMatchObject({ fault: 'NOT_CLEAN', message: expect.stringContaining('stuck-project') })
  } finally {
    if (before === undefined) delete process.env['DOCKER_HOST']
    else process.env['DOCKER_HOST'] = before
  }
  expect(events).toContainEqual(expect.objectContaining({ id: 'stuck-project:containers', state: 'failed' }))
  expect(rowsNaming(state, 'first-project', 'third-project', projects.get('third-project').number)).toEqual([])
  expect(projects.list().map(({ id }) => id)).toEqual(['stuck-project'])
})

test('rows that nobody can read keep no project from being cleaned', async () => {
  await using given = await givenHouse()
  const { house } = given
  const { state, projects } = house.foundation
  await projects.put({ ...projects.get('bad-rows'), engine: 'process' })
  const kinds = ['run.service', 'run.revision', 'run.job', 'run.workerpool', 'sql.instance', 'secretmanager.secret', 'iam.account']
  await state.write((db) => {
    const insert = db.prepare('INSERT INTO resources VALUES (?, ?, ?)')
    for (const kind of kinds) insert.run(kind, `projects/bad-rows/locations/${region}/services/x/${kind}`, '{ this is no JSON')
  })
  await cleanProject(house, 'bad-rows', () => {})
  expect(rowsNaming(state, 'bad-rows')).toEqual([])
})
