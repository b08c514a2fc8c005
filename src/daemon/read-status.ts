import { isRecord } from '../base/is-record.ts'
import { messageOf } from '../base/cloud-error.ts'
import { version } from '../base/version.ts'
import type { StatusAnswer } from './control-protocol.ts'
import type { House } from './daemon.ts'
import { type Json } from './google-api.ts'

type ProjectStatus = StatusAnswer['projects'][number]

/** GET /status: the projects with what is in them. */
export async function readStatus(house: House): Promise<StatusAnswer> {
  const { foundation, startedMs } = house
  const unreadable = foundation.projects.unreadable().map((id) => toUnreadable(id, 'Its record cannot be read.'))
  const read = foundation.projects
    .list()
    .map((project) => readProjectStatus(house, project).catch((error: unknown) => toFailed(house, project.id, error)))
  const projects = [...(await Promise.all(read)), ...unreadable]
  return { daemon: { version: version(), pid: process.pid, startedMs, stateDirectory: foundation.stateDirectory }, projects }
}

/** The URL that a browser on this machine opens: short, unless another project has a service of that name. */
export function urlOf({ foundation, catalog }: House, project: string, service: string): string {
  const { projects, router } = foundation
  const others = projects.list().filter(({ id, isUp }) => id !== project && isUp)
  const isShared = others.some(({ id }) => catalog.run.serving(id).some((other) => other.id === service))
  const host = isShared ? `${service}.${project}.localhost` : `${service}.localhost`
  return `http://${host}${router.port === 80 ? '' : `:${router.port}`}`
}

async function readProjectStatus(house: House, project: ReturnType<House['foundation']['projects']['get']>): Promise<ProjectStatus> {
  const { id, directory, engine, region, isUp } = project
  const [buckets, secrets] = await Promise.all([
    house.api.call('GET', `https://storage.googleapis.com/storage/v1/b?project=${id}`),
    house.api.call('GET', `https://secretmanager.googleapis.com/v1/projects/${id}/secrets`),
  ])
  return {
    id,
    directory,
    engine,
    region,
    services: house.catalog.run.serving(id).map(({ id: service, region: at, state }) => ({
      id: service,
      region: at,
      url: urlOf(house, id, service),
      state: isUp ? state : 'down',
    })),
    jobs: house.catalog.run.jobs.list(id),
    instances: house.catalog.sql.instances(id).map((instance) => ({ ...instance })),
    buckets: namesIn(buckets, 'items'),
    secrets: namesIn(secrets, 'secrets'),
  }
}

/** One project that cannot be told keeps nobody from the others. */
function toFailed({ foundation }: House, id: string, error: unknown): ProjectStatus {
  foundation.log.error({ err: error, project: id }, 'a project cannot be told')
  return toUnreadable(id, messageOf(error))
}

function toUnreadable(id: string, problem: string): ProjectStatus {
  return { id, directory: '', engine: '', region: '', services: [], jobs: [], instances: [], buckets: [], secrets: [], problem }
}

function namesIn(answer: Json, key: string): string[] {
  const items = answer[key]
  if (!Array.isArray(items)) return []
  return items.filter(isRecord).map(({ name }) => String(name).split('/').at(-1) ?? '')
}
