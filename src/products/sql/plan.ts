import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { GoogleApi, Json } from '../../api/google-api.ts'
import { created, toStep, type ProductPlan, type Site, type Step } from '../../api/product-plan.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { Note } from '../../config/plan-text.ts'
import { embeddedMajor } from '../../postgres/binaries.ts'
import type { WantedInstance, WantedInstances } from './section.ts'

const sqlAdmin = 'https://sqladmin.googleapis.com/sql/v1beta4'
const secretManager = 'https://secretmanager.googleapis.com/v1'

/** Ids of instances that are there, with what the files want and they lack: `database app`. */
type Observed = ReadonlyMap<string, Lacks>

interface Lacks {
  readonly lacks: readonly string[]
}

/** Instances with their databases and users, as far as they are missing. A user has the password that the files say. */
export async function planInstances(wanted: WantedInstances, site: Site): Promise<ProductPlan> {
  const { api, project, region } = site
  const observed = await observe(wanted, site)
  const hasCompose = existsSync(join(site.directory, 'compose/postgres.yaml'))
  return {
    steps: instanceSteps(wanted, observed),
    notes: [...(site.engine === undefined ? versionNotes(wanted) : []), ...composeNotes(wanted, site.engine, hasCompose)],
    async execute({ id }) {
      const instance = wanted.instances.find((one) => stepId(one) === id)
      return instance === undefined ? 'kept' : await make(api, project, region, instance)
    },
  }
}

/** Pure. */
export function instanceSteps({ instances }: WantedInstances, observed: Observed): readonly Step[] {
  return instances.map((instance) => {
    const found = observed.get(instance.id)
    const cause = found === undefined ? created(instance.from) : found.lacks.length === 0 ? undefined : `adds ${found.lacks.join(', ')}`
    const after = instance.users.flatMap(({ passwordSecret }) => (passwordSecret === undefined ? [] : [`secret:${passwordSecret}`]))
    return toStep({ id: stepId(instance), name: `sql ${instance.id}`, stage: 'resource', after }, cause)
  })
}

/** What of a project's own compose/postgres.yaml is not had on `engine`: there servers are no containers. @param hasCompose whether it is there */
export function composeNotes({ instances }: WantedInstances, engine: Site['engine'], hasCompose: boolean): readonly Note[] {
  if (engine !== 'process' || !hasCompose || instances.length === 0) return []
  return [{ resource: 'sql', text: 'compose/postgres.yaml is not applied: on the process engine PostgreSQL runs without a container' }]
}

/** For a plan that no engine is chosen for: which instances need a container to run as the version that is asked for. */
export function versionNotes({ instances }: WantedInstances): readonly Note[] {
  return instances.flatMap(({ id, databaseVersion }) => {
    const version = databaseVersion.replace('POSTGRES_', '').replace('_', '.')
    if (version === String(embeddedMajor)) return []
    const text = `runs as PostgreSQL ${embeddedMajor} where Docker or its image postgres:${version} is not at hand`
    return [{ resource: `sql ${id}`, text }]
  })
}

function stepId({ id }: WantedInstance): string {
  return `sql:${id}`
}

async function observe({ instances }: WantedInstances, { api, project, isUp }: Site): Promise<Observed> {
  const found = instances.map(async ({ id, databases, users }): Promise<readonly (readonly [string, Lacks])[]> => {
    const url = `${sqlAdmin}/projects/${project}/instances/${id}`
    const instance = await api.find(url)
    if (instance === undefined) return []
    if (!isUp || instance['state'] !== 'RUNNABLE') return [[id, { lacks: [] }]] // a plan starts no server
    const lacks: string[] = []
    for (const name of databases) if ((await api.find(`${url}/databases/${name}`)) === undefined) lacks.push(`database ${name}`)
    for (const { name } of users) if ((await api.find(`${url}/users/${encodeURIComponent(name)}`)) === undefined) lacks.push(`user ${name}`)
    return [[id, { lacks }]]
  })
  return new Map((await Promise.all(found)).flat())
}

async function make(api: GoogleApi, project: string, region: string, wanted: WantedInstance): Promise<string> {
  const url = `${sqlAdmin}/projects/${project}/instances`
  const found = await api.find(`${url}/${wanted.id}`)
  if (found !== undefined) await api.call('GET', `${url}/${wanted.id}/databases`) // it answers: what was kept is there
  else {
    const settings = { tier: 'db-f1-micro', edition: 'ENTERPRISE' }
    const body = { name: wanted.id, region, databaseVersion: wanted.databaseVersion, settings }
    await settled(api, project, await api.call('POST', url, body))
  }
  for (const name of wanted.databases) {
    if ((await api.find(`${url}/${wanted.id}/databases/${name}`)) !== undefined) continue
    await settled(api, project, await api.call('POST', `${url}/${wanted.id}/databases`, { name }))
  }
  for (const user of wanted.users) {
    const password = user.passwordSecret === undefined ? user.password : await readSecret(api, project, user.passwordSecret)
    const known = await api.find(`${url}/${wanted.id}/users/${encodeURIComponent(user.name)}`)
    const body = { name: user.name, password }
    const call =
      known === undefined
        ? api.call('POST', `${url}/${wanted.id}/users`, body)
        : api.call('PUT', `${url}/${wanted.id}/users?name=${encodeURIComponent(user.name)}`, body)
    await settled(api, project, await call)
  }
  const now = await api.call('GET', `${url}/${wanted.id}`)
  return `${found === undefined ? 'created' : 'kept'} · ${versionWords(wanted.databaseVersion, now)}`
}

/** What runs, where it is not what the project's file says. */
function versionWords(wanted: string, { databaseVersion, databaseInstalledVersion }: Json): string {
  const [version, installed] = [String(databaseVersion), String(databaseInstalledVersion ?? databaseVersion)]
  const told = version === wanted ? version : `${version}, not ${wanted}: an instance keeps the version that it was made with`
  if (installed === version || installed.startsWith(`${version}_`)) return told
  return `${told}, runs as PostgreSQL ${installed.replace('POSTGRES_', '').replaceAll('_', '.')} here`
}

async function readSecret(api: GoogleApi, project: string, id: string): Promise<string> {
  const { payload } = await api.call('GET', `${secretManager}/projects/${project}/secrets/${id}/versions/latest:access`)
  const data = (payload as { readonly data?: string } | undefined)?.data ?? ''
  return Buffer.from(data, 'base64').toString('utf8')
}

/** Waits for a Cloud SQL operation. @throws CloudError with the operation's own words */
async function settled(api: GoogleApi, project: string, first: Json): Promise<void> {
  let operation = first
  while (operation['status'] !== 'DONE') {
    await new Promise((resolve) => setTimeout(resolve, 100))
    operation = await api.call('GET', `${sqlAdmin}/projects/${project}/operations/${String(first['name'])}`)
  }
  const errors = (operation['error'] as { readonly errors?: readonly { readonly message?: string }[] } | undefined)?.errors
  const message = errors?.[0]?.message
  if (message !== undefined) throw new CloudError('FAILED_PRECONDITION', message, 'devcloud doctor', { fault: 'SQL_FAILED' })
}
