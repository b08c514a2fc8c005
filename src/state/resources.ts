import { CloudError } from '../base/cloud-error.ts'
import type { Belongings } from './belongings.ts'
import { openCollection, projectsIn } from './collection.ts'
import { readRow, type ResourceKind } from './resource-kind.ts'
import type { State } from './state.ts'

/**
 * The resources of one kind. Reads see what was written in this turn of the event loop, and give a value of the caller's own each time. Writes
 * of one turn share a transaction: put a resource and what belongs to it in one `Promise.all`.
 */
export interface Resources<T> extends Belongings {
  /** The name of its row for a name as a client writes it. @throws CloudError as the rule `canonical` */
  canonical(name: string): string
  /** @throws CloudError ROW_UNREADABLE */
  find(name: string): T | undefined
  /** @throws CloudError NOT_FOUND, ROW_UNREADABLE */
  get(name: string): T
  /**
   * Those below `parent`, `PARENT/...`, or all for an empty one, in the order of their names. Rows that cannot be read are passed over.
   * @param after a name to begin behind
   */
  list(parent: string, after?: string, limit?: number): readonly T[]
  /** Of every row below `parent`; none is read. */
  names(parent: string): readonly string[]
  /** Ids, or numbers, of the projects in `projects/PROJECT/...` of the rows' names. */
  projects(): readonly string[]
  /** Inserts or replaces. Durable when resolved. */
  put(resource: T): Promise<T>
  /** Deletes a resource with its policy (`api/iam-policy.ts`) and its belongings. Durable when resolved; false when there was none. */
  delete(name: string): Promise<boolean>
  /** The same for all below `parent`; none is read. */
  deleteBelow(parent: string): Promise<void>
}

export interface ResourceRules<T> {
  /** Of names as clients write them, say with the project's number. @throws CloudError INVALID_ARGUMENT for another form */
  readonly canonical?: (name: string) => string
  /** The NOT_FOUND of Google's own words. @param name as it was asked for */
  readonly missing?: (name: string) => CloudError
  /** Whether a resource counts as deleted while its row is still there: its time is over. */
  readonly isGone?: (resource: T) => boolean
  /** Resources of other kinds below these, and rows of other tables. */
  readonly belongings?: readonly Belongings[]
}

/**
 * How a product keeps its resources. Cloud Run's, for an example:
 * ```ts
 * const keys = openCollection(state, 'run.revision.template') // outlives its revision, not its service
 * const revisions = openResources(state, messageKind('run.revision', RevisionSchema))
 * const services = openResources(state, messageKind('run.service', ServiceSchema), { canonical, missing, belongings: [revisions, keys] })
 * const deleted = openResources(state, messageKind('run.service.deleted', ServiceSchema), { isGone: (service) => expiryMs(service) <= nowMs() })
 * const executions = openResources(state, executionKind, { belongings: [belongingRows(state, 'run_tasks', 'execution')] })
 * await Promise.all([services.delete(service.name), deleted.put(service)]) // one transaction
 * paginateList(services.list(`projects/${id}/locations/${region}`).toSorted(byNewest), pageSize, pageToken)
 * ```
 * Leave out of `belongings` what must be stopped before its row goes: delete it when it has stopped.
 */
export function openResources<T>(state: State, kind: ResourceKind<T>, rules: ResourceRules<T> = {}): Resources<T> {
  const { canonical = (name) => name, missing = notFound, isGone = () => false, belongings = [] } = rules
  const rows = openCollection(state, kind.kind)
  const find = (name: string) => {
    const known = canonical(name)
    const row = rows.get(known)
    if (row === undefined) return undefined
    const resource = readRow(kind, known, row)
    return isGone(resource) ? undefined : resource
  }
  const readable = (name: string, row: string): T | undefined => {
    try {
      return readRow(kind, name, row)
    } catch {
      return undefined // `fsck` names it, and so does the log of the next start
    }
  }
  const removeBelongings = (name: string) => {
    for (const { removeWith } of belongings) removeWith(name)
  }
  return {
    canonical,
    find,
    get(name) {
      const resource = find(name)
      if (resource === undefined) throw missing(name)
      return resource
    },
    list(parent, after, limit = Infinity) {
      const found: T[] = []
      for (const { name, value } of rows.each(parent, after)) {
        if (found.length >= limit) break
        const resource = readable(name, value)
        if (resource !== undefined && !isGone(resource)) found.push(resource)
      }
      return found
    },
    names: (parent) => rows.list(parent).map(({ name }) => name),
    projects: () => projectsIn(rows),
    async put(resource) {
      await rows.put(kind.nameOf(resource), kind.write(resource))
      return resource
    },
    delete: (name) =>
      state.write(() => {
        const known = canonical(name)
        removeBelongings(known)
        return rows.remove(known)
      }),
    deleteBelow: (parent) =>
      state.write(() => {
        removeBelongings(parent)
        rows.removeBelow(parent)
      }),
    removeWith(name) {
      removeBelongings(name)
      rows.removeWith(name)
    },
  }
}

function notFound(name: string): CloudError {
  return new CloudError('NOT_FOUND', `${name} was not found.`, 'Check its name.')
}
