import { messageOf } from '../base/cloud-error.ts'
import { version } from '../base/version.ts'
import type { StatusAnswer } from './control-protocol.ts'
import type { House } from './house.ts'
import type { Project } from './projects.ts'

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

async function readProjectStatus({ catalog }: House, { id, directory, engine, region }: Project): Promise<ProjectStatus> {
  const lists = await Promise.all(catalog.all.map(async (product) => (await product.list?.(id)) ?? []))
  return { id, directory, engine, region, resources: lists.flat() }
}

/** One project that cannot be told keeps nobody from the others. */
function toFailed({ foundation }: House, id: string, error: unknown): ProjectStatus {
  foundation.log.error({ err: error, project: id }, 'a project cannot be told')
  return toUnreadable(id, messageOf(error))
}

function toUnreadable(id: string, problem: string): ProjectStatus {
  return { id, directory: '', engine: '', region: '', resources: [], problem }
}
