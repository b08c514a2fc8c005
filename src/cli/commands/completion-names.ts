import { lastPart } from '../../base/last-part.ts'
import type { ApiAnswer, ApiRequest } from '../../daemon/control-protocol.ts'
import { findDaemon, type ControlClient } from '../control-client.ts'
import { findProject, servicesOf } from '../find-project.ts'

/** The longest time in ms that a Tab waits. */
const patienceMs = 1000

/** Names for an argument, by the argument's name: `service`, `revision`, `job`, ... */
export type CompletionNames = Readonly<Record<string, readonly string[]>>

/** The names in this folder's project. Starts no daemon. Gives no names when anything fails, since a Tab cannot show an error. */
export async function completionNames(): Promise<CompletionNames> {
  const late = new Promise<CompletionNames>((resolve) => setTimeout(resolve, patienceMs, {}).unref())
  return Promise.race([readNames().catch(() => ({})), late])
}

async function readNames(): Promise<CompletionNames> {
  const client = await findDaemon()
  if (client === undefined) return {}
  const project = await findProject(client, undefined)
  const { id, region } = project
  const base = (group: string) => `https://run.googleapis.com/apis/${group}/v1/namespaces/${id}`
  const [revisions, jobs, executions, pools] = await Promise.all([
    namesIn(client, `${base('serving.knative.dev')}/revisions`),
    namesIn(client, `${base('run.googleapis.com')}/jobs`),
    namesIn(client, `${base('run.googleapis.com')}/executions`),
    namesIn(client, `https://run.googleapis.com/v2/projects/${id}/locations/${region}/workerPools`),
  ])
  return {
    service: servicesOf(project).map((service) => service.id),
    revision: revisions,
    job: jobs,
    execution: executions,
    'worker-pool': pools,
  }
}

/** The names in a list of version 1 (`items[].metadata.name`) or of version 2 (`workerPools[].name`). */
async function namesIn(client: ControlClient, url: string): Promise<readonly string[]> {
  const request: ApiRequest = { method: 'GET', url }
  const answer = await client.post<ApiAnswer>('/api', request).catch((): ApiAnswer => ({}))
  const items = (answer['items'] ?? answer['workerPools'] ?? []) as readonly {
    readonly name?: string
    readonly metadata?: { readonly name: string }
  }[]
  return items.map(({ name, metadata }) => metadata?.name ?? lastPart(name ?? ''))
}
