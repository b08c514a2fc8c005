import { realpathSync } from 'node:fs'
import { CloudError } from '../base/cloud-error.ts'
import type { Listed } from '../api/product.ts'
import type { StatusAnswer } from '../daemon/control-protocol.ts'
import type { ControlClient } from './control-client.ts'

type ProjectStatus = StatusAnswer['projects'][number]

/** The project that a command is about: the named one, else the project of this folder or of a folder above, else the only project. */
export async function findProject(client: ControlClient, named: string | undefined): Promise<ProjectStatus> {
  const { projects } = await client.get<StatusAnswer>('/status')
  const sound = projects.filter(({ problem }) => problem === undefined)
  const only = sound.length === 1 ? sound[0] : undefined
  const found = named === undefined ? (hereIn(projects) ?? only) : projects.find(({ id }) => id === named)
  if (found === undefined) throw noProject(projects, named)
  return found
}

/** The project of this folder or of a folder above, and no other: for a command that removes. @throws CloudError NO_PROJECT */
export async function findProjectHere(client: ControlClient): Promise<ProjectStatus> {
  const { projects } = await client.get<StatusAnswer>('/status')
  const found = hereIn(projects)
  if (found === undefined) throw noProject(projects, undefined)
  return found
}

function hereIn(projects: readonly ProjectStatus[]): ProjectStatus | undefined {
  const folder = `${realpathSync(process.cwd())}/`
  const around = projects.filter(({ directory }) => directory !== '' && folder.startsWith(`${directory}/`))
  return around.toSorted((a, b) => b.directory.length - a.directory.length)[0]
}

function noProject(projects: readonly ProjectStatus[], named: string | undefined): CloudError {
  const known = projects.map(({ id, directory }) => `${id}  ${directory}`)
  return new CloudError(
    'NOT_FOUND',
    named === undefined ? 'No project belongs to this folder.' : `There is no project "${named}".`,
    known.length === 0 ? 'devcloud up' : 'Name one with --project, or run devcloud up here.',
    { fault: 'NO_PROJECT', evidence: known },
  )
}

/** What of a project has containers that a command can run in, and a URL. */
export function servicesOf({ resources }: Pick<ProjectStatus, 'resources'>): readonly Listed[] {
  return resources.filter(({ kind }) => kind === 'service')
}

/** The service named, else the only one of the project. */
export function findService({ resources }: ProjectStatus, named: string | undefined): Listed {
  const services = servicesOf({ resources })
  const found = named === undefined && services.length === 1 ? services[0] : services.find(({ id }) => id === named)
  if (found !== undefined) return found
  const ids = services.map(({ id }) => id)
  throw new CloudError(
    'NOT_FOUND',
    named === undefined ? 'Which service?' : `There is no service "${named}".`,
    `Name one of: ${ids.join(', ')}.`,
    {
      fault: 'USAGE',
    },
  )
}
