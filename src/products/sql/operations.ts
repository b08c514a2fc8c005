import { CloudError, messageOf } from '../../base/cloud-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jsonKind } from '../../state/resource-kind.ts'
import { openResources } from '../../state/resources.ts'
import type { State } from '../../state/state.ts'
import { invalid } from './errors.ts'
import { instanceLink, sqlAdmin } from './names.ts'

/** Cloud SQL's own type, not google.longrunning. Source: sqladmin v1beta4, Operation. */
export interface SqlOperation {
  readonly kind: 'sql#operation'
  readonly name: string
  readonly operationType: string
  readonly status: 'PENDING' | 'RUNNING' | 'DONE'
  readonly insertTime: string
  readonly startTime?: string
  readonly endTime?: string
  readonly targetId: string
  readonly targetProject: string
  readonly targetLink: string
  readonly selfLink: string
  readonly user: string
  /** What the operation did otherwise than it was asked to, though it succeeded. */
  readonly apiWarning?: { readonly code: 'SQL_API_WARNING_CODE_UNSPECIFIED'; readonly message: string }
  readonly error?: {
    readonly kind: 'sql#operationErrors'
    readonly errors: readonly { readonly kind: 'sql#operationError'; readonly code: string; readonly message: string }[]
  }
}

interface About {
  readonly type: string
  readonly project: string
  readonly instance: string
  /** The caller's address. */
  readonly user: string
}

/** Operations are kept: a name given out answers after a restart, and after its instance is gone (sql traps 14 and 44). */
export interface SqlOperations {
  /**
   * Runs `work` behind a stored operation, whose error it gives when `work` throws; sentences that `work` gives are its warning. Answers when it is done, or after `patienceMs` with what it
   * is then: a first answer that is DONE saves Terraform its 10 s between polls.
   */
  start(about: About, work: () => Promise<readonly string[] | void>, patienceMs?: number): Promise<SqlOperation>
  /** Does `work`, which is short, and stores an operation that is over. What `work` throws is the caller's, as with Google. */
  perform(about: About, work: () => Promise<void>): Promise<SqlOperation>
  /** @throws CloudError NOT_FOUND */
  get(project: string, name: string): SqlOperation
  /** Newest first. @param instance empty for those of every instance @param after the name that the last page ended with, or empty */
  list(project: string, instance: string, after: string, limit: number): readonly SqlOperation[]
  removeProject(project: string): Promise<void>
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

interface Row {
  readonly sequence: number
  readonly operation: SqlOperation
}

export const sqlOperationKind = jsonKind<Row>('sql.operation', ({ operation }) => nameOf(operation.targetProject, operation.name))

const patienceOfAnswerMs = 5000

/** Operations that the last daemon left under way end here as errors: nobody works on them any more. */
export function openSqlOperations({
  state,
  clock,
  log,
}: {
  readonly state: State
  readonly clock: Clock
  readonly log: Log
}): SqlOperations {
  const rows = openResources(state, sqlOperationKind)
  const running = new Map<string, Promise<void>>()
  const now = () => new Date(clock.nowMs()).toISOString()
  const find = (project: string, name: string) => rows.find(nameOf(project, name))
  const get = (project: string, name: string): SqlOperation => {
    const row = find(project, name)
    if (row === undefined) throw new CloudError('NOT_FOUND', 'The Cloud SQL operation does not exist.', 'gcloud sql operations list')
    return row.operation
  }

  const left = rows.list('')
  let sequence = left.reduce((last, row) => Math.max(last, row.sequence), 0)
  const interrupted = new CloudError('ABORTED', 'The devcloud daemon ended while this was under way.', 'Try it again.')
  for (const row of left.filter(({ operation }) => operation.status !== 'DONE')) {
    const operation: SqlOperation = { ...row.operation, ...ending(now(), interrupted) }
    rows.put({ ...row, operation }).catch((error: unknown) => log.error({ err: error }, 'an interrupted operation was not ended'))
  }

  const make = (about: About, status: SqlOperation['status']): Row => {
    const name = crypto.randomUUID()
    sequence += 1
    const operation: SqlOperation = {
      kind: 'sql#operation',
      name,
      operationType: about.type,
      status,
      insertTime: now(),
      targetId: about.instance,
      targetProject: about.project,
      targetLink: instanceLink(about.project, about.instance),
      selfLink: `${sqlAdmin}/${nameOf(about.project, name)}`,
      user: about.user,
    }
    return { sequence, operation }
  }
  const run = async (row: Row, work: () => Promise<readonly string[] | void>): Promise<void> => {
    const started: Row = { ...row, operation: { ...row.operation, status: 'RUNNING', startTime: now() } }
    const end = async (error?: unknown, warnings: readonly string[] = []) => {
      const { targetProject, name } = started.operation
      if (find(targetProject, name) === undefined) return // its project is gone
      await rows.put({ ...started, operation: { ...started.operation, ...ending(now(), error), ...toWarning(warnings) } })
    }
    try {
      await rows.put(started)
      await end(undefined, (await work()) ?? [])
    } catch (error) {
      const { operationType, targetId } = row.operation
      log.warn({ err: error, operationType, instance: targetId }, 'operation failed')
      await end(error).catch((cause: unknown) => log.error({ err: cause }, 'the end of an operation was not stored'))
    }
  }
  return {
    async start(about, work, patienceMs = patienceOfAnswerMs) {
      const row = make(about, 'PENDING')
      await rows.put(row)
      const { name } = row.operation
      const done = run(row, work).finally(() => running.delete(name))
      running.set(name, done)
      const { promise: tired, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, patienceMs)
      await Promise.race([done, tired])
      clearTimeout(timer)
      return find(about.project, name)?.operation ?? row.operation
    },
    async perform(about, work) {
      const row = make(about, 'DONE')
      await work()
      const operation: SqlOperation = { ...row.operation, startTime: row.operation.insertTime, endTime: now() }
      await rows.put({ ...row, operation })
      return operation
    },
    get,
    list(project, instance, after, limit) {
      const before = after === '' ? Infinity : find(project, after)?.sequence
      if (before === undefined) throw invalid('pageToken is not one that this list gave.', 'Start again without it.')
      return rows
        .list(`projects/${project}`)
        .filter((row) => row.sequence < before && (instance === '' || row.operation.targetId === instance))
        .toSorted((a, b) => b.sequence - a.sequence)
        .slice(0, limit)
        .map((row) => row.operation)
    },
    removeProject: (project) => rows.deleteBelow(`projects/${project}`),
    async settled() {
      await Promise.all(running.values())
    },
  }
}

function nameOf(project: string, operation: string): string {
  return `projects/${project}/operations/${operation}`
}

function toWarning(warnings: readonly string[]): Pick<SqlOperation, 'apiWarning'> {
  if (warnings.length === 0) return {}
  return { apiWarning: { code: 'SQL_API_WARNING_CODE_UNSPECIFIED', message: warnings.join(' ') } }
}

function ending(endTime: string, error: unknown): Pick<SqlOperation, 'status' | 'endTime' | 'error'> {
  if (error === undefined) return { status: 'DONE', endTime }
  const code = error instanceof CloudError ? error.code : 'INTERNAL_ERROR'
  const errors = [{ kind: 'sql#operationError' as const, code, message: messageOf(error) }]
  return { status: 'DONE', endTime, error: { kind: 'sql#operationErrors', errors } }
}
