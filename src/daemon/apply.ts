import { randomBytes } from 'node:crypto'
import { CloudError } from '../base/cloud-error.ts'
import type { Wanted, WantedBucket, WantedInstance, WantedSecret } from '../config/wanted.ts'
import type { GoogleApi } from './google-api.ts'

const secretManager = 'https://secretmanager.googleapis.com/v1'
const sqlAdmin = 'https://sqladmin.googleapis.com/sql/v1beta4'
const storage = 'https://storage.googleapis.com/storage/v1'

/** Makes the secret, and its first version when it has none. Answers what was done, for the step's line. */
export async function applySecret(api: GoogleApi, project: string, wanted: WantedSecret): Promise<string> {
  const url = `${secretManager}/projects/${project}/secrets/${wanted.id}`
  if ((await api.find(url)) === undefined) {
    await api.call('POST', `${secretManager}/projects/${project}/secrets?secretId=${wanted.id}`, { replication: { automatic: {} } })
  }
  if ((await api.find(`${url}/versions/latest`)) !== undefined) return 'kept'
  const { initial } = wanted
  const data = initial.kind === 'random' ? Buffer.from(randomBytes(initial.bytes).toString('base64url')) : Buffer.from(initial.data)
  await api.call('POST', `${url}:addVersion`, { payload: { data: data.toString('base64') } })
  return initial.kind === 'random' ? 'made at random' : 'added'
}

/** Makes the Cloud SQL instance with its databases and users, as far as they are missing. */
export async function applyInstance(api: GoogleApi, project: string, region: string, wanted: WantedInstance): Promise<string> {
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
function versionWords(wanted: string, { databaseVersion, databaseInstalledVersion }: Readonly<Record<string, unknown>>): string {
  const [version, installed] = [String(databaseVersion), String(databaseInstalledVersion ?? databaseVersion)]
  const told = version === wanted ? version : `${version}, not ${wanted}: an instance keeps the version that it was made with`
  if (installed === version || installed.startsWith(`${version}_`)) return told
  return `${told}, runs as PostgreSQL ${installed.replace('POSTGRES_', '').replaceAll('_', '.')} here`
}

export async function applyBucket(api: GoogleApi, project: string, region: string, wanted: WantedBucket): Promise<string> {
  const found = await api.find(`${storage}/b/${wanted.name}`)
  if (found === undefined) await api.call('POST', `${storage}/b?project=${project}`, { name: wanted.name, location: region })
  if (wanted.public) {
    await api.call('PUT', `${storage}/b/${wanted.name}/iam`, {
      bindings: [
        { role: 'roles/storage.legacyBucketOwner', members: [`projectOwner:${project}`] },
        { role: 'roles/storage.objectViewer', members: ['allUsers'] },
      ],
    })
  }
  return found === undefined ? 'created' : 'kept'
}

/** Everything but the services, in the order in which the parts need each other. */
export function infrastructureSteps(
  api: GoogleApi,
  wanted: Wanted,
): { readonly id: string; readonly name: string; run(): Promise<string> }[][] {
  const { project, region } = wanted
  return [
    wanted.secrets.map((secret) => ({
      id: `secret:${secret.id}`,
      name: `secret ${secret.id}`,
      run: () => applySecret(api, project, secret),
    })),
    [
      ...wanted.instances.map((instance) => ({
        id: `sql:${instance.id}`,
        name: `sql ${instance.id}`,
        run: () => applyInstance(api, project, region, instance),
      })),
      ...wanted.buckets.map((bucket) => ({
        id: `bucket:${bucket.name}`,
        name: `bucket ${bucket.name}`,
        run: () => applyBucket(api, project, region, bucket),
      })),
    ],
  ]
}

async function readSecret(api: GoogleApi, project: string, id: string): Promise<string> {
  const { payload } = await api.call('GET', `${secretManager}/projects/${project}/secrets/${id}/versions/latest:access`)
  const data = (payload as { readonly data?: string } | undefined)?.data ?? ''
  return Buffer.from(data, 'base64').toString('utf8')
}

/** Waits for a Cloud SQL operation. @throws CloudError with the operation's own words */
async function settled(api: GoogleApi, project: string, first: Readonly<Record<string, unknown>>): Promise<void> {
  let operation = first
  while (operation['status'] !== 'DONE') {
    await new Promise((resolve) => setTimeout(resolve, 100))
    operation = await api.call('GET', `${sqlAdmin}/projects/${project}/operations/${String(first['name'])}`)
  }
  const errors = (operation['error'] as { readonly errors?: readonly { readonly message?: string }[] } | undefined)?.errors
  const message = errors?.[0]?.message
  if (message !== undefined) throw new CloudError('FAILED_PRECONDITION', message, 'devcloud doctor', { fault: 'SQL_FAILED' })
}
