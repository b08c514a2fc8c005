import type { Cluster } from '../../postgres/cluster.ts'
import { jsonKind } from '../../state/resource-kind.ts'
import { openResources } from '../../state/resources.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { unimplemented } from '../../api/status.ts'
import { instanceExists, instanceMissing, notRunning, operationInProgress } from './errors.ts'
import type { CloudSqlNeeds } from './needs.ts'
import {
  changeInstance,
  editionWarning,
  isStopped,
  newInstance,
  readInstanceBody,
  toInstance,
  warningsOf,
  type InstanceBody,
  type InstanceRow,
} from './instance-resource.ts'
import { readInstanceFilter } from './instance-filter.ts'
import { connectionName } from './names.ts'
import { openRemains } from './remains.ts'
import type { SqlOperation, SqlOperations } from './operations.ts'
import type { Servers } from './servers.ts'
import type { Json } from './json.ts'
import { majorOf } from './versions.ts'

export interface Instances {
  insert(project: string, body: unknown, user: string): Promise<SqlOperation>
  get(project: string, instance: string): Json
  /** Instances by name. @param filter the filter of instances.list @param after the last name of the page before, or empty */
  list(project: string, filter: string, after: string, limit: number): readonly Json[]
  /** @param merge true for PATCH, false for PUT */
  change(project: string, instance: string, body: unknown, user: string, merge: boolean): Promise<SqlOperation>
  restart(project: string, instance: string, user: string): Promise<SqlOperation>
  delete(project: string, instance: string, finalBackup: boolean, user: string): Promise<SqlOperation>
  /** Runs work in the instance's running server, one at a time. @throws CloudError SQL_INSTANCE_MISSING, SQL_INSTANCE_STOPPED */
  inside<T>(project: string, instance: string, work: (cluster: Cluster) => Promise<T>): Promise<T>
  rows(project?: string): readonly InstanceRow[]
  /** The state for people: STOPPED when the activationPolicy is NEVER, FAILED while the server does not start. */
  stateOf(row: InstanceRow): string
  /** Starts or stops the server as the activationPolicy says. Finishes what an earlier daemon left half made or half removed. */
  settle(row: InstanceRow): Promise<void>
  /** Removes servers of instances that are gone. */
  sweep(): Promise<void>
  /** The ids of the projects with instances. */
  projects(): readonly string[]
  /** Removes the servers of a project with their data and rows, also protected ones. */
  removeProject(project: string): Promise<void>
}

export const instanceKind = jsonKind<InstanceRow>('sql.instance', ({ project, name }) => nameOf(project, name))

/** Instances of Cloud SQL: rows in the state, each with a server of its own. `project` is an id in every method. */
export function openInstances(needs: CloudSqlNeeds, servers: Servers, operations: SqlOperations): Instances {
  const rows = openResources(needs.state, instanceKind)
  const find = (project: string, instance: string) => rows.find(nameOf(project, instance))
  const require = (project: string, instance: string): InstanceRow => {
    const row = find(project, instance)
    if (row === undefined) throw instanceMissing(project, instance)
    return row
  }
  const remove = async (row: InstanceRow) => {
    await servers.remove(connectionName(row))
    failed.delete(connectionName(row))
    await rows.delete(nameOf(row.project, row.name))
  }
  /** The connection names of instances whose server does not start. */
  const failed = new Set<string>()
  const open = async (row: InstanceRow) => {
    const name = connectionName(row)
    failed.add(name)
    const cluster = await (row.state === 'PENDING_CREATE' ? servers.make(name, majorOf(row.databaseVersion)) : servers.open(name))
    failed.delete(name)
    return cluster
  }
  const remains = openRemains(needs.state, servers)
  /** Removes the row at once, whatever happens to the server. A server that could not be removed is remembered, and nobody sees a half-removed instance. */
  const discard = async (row: InstanceRow) => {
    const name = connectionName(row)
    failed.delete(name)
    await Promise.all([remains.add(row.project, name), rows.delete(nameOf(row.project, row.name))])
    await remains
      .sweep(row.project, name)
      .catch((cause: unknown) => needs.log.error({ err: cause, instance: name }, 'half a server is left'))
  }
  const start = async (row: InstanceRow) => {
    const cluster = await open(row)
    const serverVersion = await cluster.version()
    const current = find(row.project, row.name)
    if (current !== undefined && current.serverVersion !== serverVersion) await rows.put({ ...current, serverVersion })
    return cluster
  }
  const runAsPolicySays = async (row: InstanceRow) => {
    if (isStopped(row)) await servers.stop(connectionName(row))
    else await start(row)
  }
  /** Logs what the request asked for and did not get, and gives it for the operation's warning. */
  const warn = (row: InstanceRow, sent: InstanceBody, more: readonly string[] = []) => {
    const warnings = [...warningsOf(find(row.project, row.name) ?? row, sent), ...more]
    if (warnings.length > 0)
      needs.log.warn({ instance: connectionName(row), warnings }, 'a Cloud SQL instance is not all that was asked for')
    return warnings
  }
  const toAnswer = (row: InstanceRow) => toInstance(row, needs.project(row.project).number)

  return {
    async insert(project, body, user) {
      const sent = readInstanceBody(body)
      const row = newInstance(project, sent, new Date(needs.clock.nowMs()).toISOString())
      if (find(project, row.name) !== undefined) throw instanceExists()
      await rows.put(row)
      const create = async () => {
        try {
          await remains.sweep(project, connectionName(row))
          const cluster = await start(row)
          if (sent.rootPassword !== undefined) await cluster.putUser('postgres', sent.rootPassword)
          await rows.put({ ...require(project, row.name), state: 'RUNNABLE' })
          if (isStopped(row)) await servers.stop(connectionName(row))
          return warn(row, sent, editionWarning(row, sent))
        } catch (error) {
          await discard(row)
          throw error
        }
      }
      const about = { type: 'CREATE', project, instance: row.name, user }
      return operations.start(about, () => servers.exclusive(connectionName(row), create))
    },
    get: (project, instance) => toAnswer(require(project, instance)),
    list(project, filter, after, limit) {
      const passes = readInstanceFilter(filter)
      const all = rows.list(`projects/${project}`, after === '' ? '' : nameOf(project, after)).map(toAnswer)
      return all.filter(passes).slice(0, limit)
    },
    async change(project, instance, body, user, merge) {
      const sent = readInstanceBody(body)
      const before = require(project, instance)
      if (before.state !== 'RUNNABLE') throw operationInProgress()
      const row = changeInstance(before, sent, merge)
      await rows.put(row)
      const apply = async () => {
        const now = find(project, instance)
        if (now === undefined) return []
        await runAsPolicySays(now)
        if (sent.rootPassword === undefined) return warn(now, sent)
        if (isStopped(now)) throw notRunning(instance)
        await (await open(now)).putUser('postgres', sent.rootPassword)
        return warn(now, sent)
      }
      const about = { type: 'UPDATE', project, instance, user }
      return operations.start(about, () => servers.exclusive(connectionName(row), apply))
    },
    async restart(project, instance, user) {
      const row = require(project, instance)
      if (row.state !== 'RUNNABLE') throw operationInProgress()
      if (isStopped(row)) throw notRunning(instance)
      const restart = async () => {
        await servers.stop(connectionName(row))
        await runAsPolicySays(require(project, instance))
      }
      return operations.start({ type: 'RESTART', project, instance, user }, () => servers.exclusive(connectionName(row), restart))
    },
    async delete(project, instance, finalBackup, user) {
      const row = require(project, instance)
      if (row.state === 'PENDING_CREATE') throw operationInProgress()
      if (finalBackup) throw unimplemented('final backups of Cloud SQL instances')
      if (row.settings['deletionProtectionEnabled'] === true) {
        throw new CloudError(
          'FAILED_PRECONDITION',
          'The instance is protected. Please disable the deletion protection and try again. To disable deletion protection, update the instance settings with deletionProtectionEnabled set to false.',
          `gcloud sql instances patch ${instance} --no-deletion-protection`,
        )
      }
      await rows.put({ ...row, state: 'PENDING_DELETE' })
      const about = { type: 'DELETE', project, instance, user }
      return operations.start(about, () => servers.exclusive(connectionName(row), () => remove(row)))
    },
    inside(project, instance, work) {
      const name = connectionName(require(project, instance))
      return servers.exclusive(name, async () => {
        const row = require(project, instance)
        if (row.state !== 'RUNNABLE' || isStopped(row)) throw notRunning(instance)
        return work(await open(row))
      })
    },
    rows: (project) => rows.list(project === undefined ? '' : `projects/${project}`),
    settle: ({ project, name, region }) =>
      servers.exclusive(connectionName({ project, name, region }), async () => {
        const row = find(project, name)
        if (row !== undefined) await (row.state === 'RUNNABLE' ? runAsPolicySays(row) : discard(row))
      }),
    stateOf(row) {
      if (row.state !== 'RUNNABLE') return row.state
      if (isStopped(row)) return 'STOPPED'
      return failed.has(connectionName(row)) ? 'FAILED' : row.state
    },
    async sweep() {
      for (const { project, name } of remains.list())
        await servers
          .exclusive(name, () => remains.sweep(project, name))
          .catch((cause: unknown) => needs.log.error({ err: cause, instance: name }, 'half a server is left'))
    },
    projects: () => rows.projects(),
    async removeProject(project) {
      const all = rows.list(`projects/${project}`)
      const ended = await Promise.allSettled(all.map((row) => servers.exclusive(connectionName(row), () => remove(row))))
      const failed = ended.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
      await rows.deleteBelow(`projects/${project}`)
    },
  }
}

function nameOf(project: string, instance: string): string {
  return `projects/${project}/instances/${instance}`
}
