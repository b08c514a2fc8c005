import { createHash } from 'node:crypto'
import * as z from 'zod'
import { isProjectId } from '../api/names.ts'
import type { ProjectIds } from '../api/project-ids.ts'
import { jsonKind } from '../state/resource-kind.ts'
import { openResources } from '../state/resources.ts'
import type { State } from '../state/state.ts'

export interface Project extends ProjectIds {
  readonly region: string
  /** The folder that `devcloud up` was last run in; empty for a project that only clients speak of. */
  readonly directory: string
  readonly engine: 'docker' | 'process' | 'auto'
  /** False after `devcloud down`: nothing runs for it until the next `up`. */
  readonly isUp: boolean
}

/** The projects of this user. Any id that a client speaks of is a project: nobody has to make one first. */
export interface Projects {
  /** By id or number. An unknown id gives a project with defaults; an unknown number stays a number. */
  get(idOrNumber: string): Project
  list(): readonly Project[]
  /** Names of rows that cannot be read, or that no project can have: they are passed over, and `delete` removes them. */
  unreadable(): readonly string[]
  put(project: Omit<Project, 'number'>): Promise<Project>
  delete(id: string): Promise<void>
}

export const projectKind = jsonKind<Project>('project', ({ id }) => id)

export function openProjects(state: State): Projects {
  const rows = openResources(state, projectKind)
  const all = new Map(rows.list('').flatMap((project) => (isWhole(project) ? [[project.id, project]] : [])))
  const unreadable = new Set(rows.names('').filter((name) => !all.has(name)))
  const byNumber = new Map([...all.values()].map((project) => [project.number, project]))
  return {
    get: (idOrNumber) =>
      all.get(idOrNumber) ??
      byNumber.get(idOrNumber) ?? {
        id: idOrNumber,
        number: projectNumber(idOrNumber),
        region: 'us-central1',
        directory: '',
        engine: 'auto',
        isUp: true,
      },
    list: () => [...all.values()],
    unreadable: () => [...unreadable],
    async put(told) {
      const project = { ...told, number: projectNumber(told.id) }
      await rows.put(project)
      all.set(project.id, project)
      byNumber.set(project.number, project)
      return project
    },
    async delete(id) {
      await rows.delete(id)
      byNumber.delete(all.get(id)?.number ?? '')
      all.delete(id)
      unreadable.delete(id)
    },
  }
}

/** False for a row that was damaged, or written when any text was taken for an id. */
function isWhole(project: Project): boolean {
  return rowSchema.safeParse(project).success && isProjectId(project.id)
}

const rowSchema = z.looseObject({
  id: z.string(),
  number: z.string(),
  region: z.string(),
  directory: z.string(),
  engine: z.enum(['docker', 'process', 'auto']),
  isUp: z.boolean(),
})

/** Twelve digits that begin with no zero; a number stands for itself. */
function projectNumber(id: string): string {
  if (/^\d+$/.test(id)) return id
  const hash = createHash('sha256').update(id).digest().readBigUInt64BE()
  return String(100_000_000_000n + (hash % 900_000_000_000n))
}
