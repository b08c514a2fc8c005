import type { Cluster } from '../../postgres/cluster.ts'
import { openCollection, projectsIn } from '../../state/collection.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { unimplemented } from '../../api/status.ts'
import { instanceExists, instanceMissing, notRunning, operationInProgress } from './errors.ts'
import type { CloudSqlNeeds } from './index.ts'
import { changeInstance, isStopped, newInstance, readInstanceBody, toInstance, type InstanceRow } from './instance-resource.ts'
import { connectionName } from './names.ts'
import type { SqlOperation, SqlOperations } from './operations.ts'
import type { Servers } from './servers.ts'
import { checkFlags } from './flags.ts'
import type { Json } from './settings.ts'
import { majorOf } from './versions.ts'

export interface Instances {
  insert(project: string, body: unknown, user: string): Promise<SqlOperation>
  get(project: string, instance: string): Json
  /** By name. @param after the name that the last page ended with, or empty */
  list(project: string, after: string, limit: number): readonly Json[]
  /** @param merge true for PATCH, false for PUT */
  change(project: string, instance: string, body: unknown, user: string, merge: boolean): Promise<SqlOperation>
  restart(project: string, instance: string, user: string): Promise<SqlOperation>
  delete(project: string, instance: string, finalBackup: boolean, user: string): Promise<SqlOperation>
  /** Works in its running server, alone. @throws CloudError SQL_INSTANCE_MISSING, SQL_INSTANCE_STOPPED */
  inside<T>(project: string, instance: string, work: (cluster: Cluster) => Promise<T>): Promise<T>
  rows(project?: string): readonly InstanceRow[]
  /** As people read it: STOPPED where the policy is NEVER, FAILED while its server does not start. */
  stateOf(row: InstanceRow): string
  /** Makes its server run, or not, as its activationPolicy says; ends what a daemon left half made or half removed. */
  settle(row: InstanceRow): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
  /** Removes the servers of a project, their data and rows, whatever their protection says. */
  removeProject(project: string): Promise<void>
}

/** Instances of Cloud SQL: rows in the state, each with a server of its own. `project` is an id in every method. */
export function openInstances(needs: CloudSqlNeeds, servers: Servers, operations: SqlOperations): Instances {
  const rows = openCollection(needs.state, 'sql.instance')
  const key = (project: string, instance: string) => `projects/${project}/instances/${instance}`
  const put = (row: InstanceRow) => rows.put(key(row.project, row.name), JSON.stringify(row))
  const find = (project: string, instance: string): InstanceRow | undefined => {
    const value = rows.get(key(project, instance))
    return value === undefined ? undefined : (JSON.parse(value) as InstanceRow)
  }
  const require = (project: string, instance: string): InstanceRow => {
    const row = find(project, instance)
    if (row === undefined) throw instanceMissing(project, instance)
    return row
  }
  const list = (prefix: string, after?: string, limit?: number) =>
    rows.list(prefix, after, limit).map(({ value }) => JSON.parse(value) as InstanceRow)
  const remove = async (row: InstanceRow) => {
    await servers.remove(connectionName(row))
    failed.delete(connectionName(row))
    await rows.delete(key(row.project, row.name))
  }
  /** Connection names of those whose server does not start. */
  const failed = new Set<string>()
  const open = async (row: InstanceRow) => {
    const name = connectionName(row)
    failed.add(name)
    const cluster = await (row.state === 'PENDING_CREATE' ? servers.make(name, majorOf(row.databaseVersion)) : servers.open(name))
    failed.delete(name)
    return cluster
  }
  const start = async (row: InstanceRow) => {
    const cluster = await open(row)
    const serverVersion = await cluster.version()
    const current = find(row.project, row.name)
    if (current !== undefined && current.serverVersion !== serverVersion) await put({ ...current, serverVersion })
    if (Number.parseInt(serverVersion, 10) !== majorOf(row.databaseVersion)) {
      const about = { instance: connectionName(row), databaseVersion: row.databaseVersion, serverVersion }
      needs.log.warn(about, 'the server of this Cloud SQL instance is of another major version')
    }
    return cluster
  }
  const runAsPolicySays = async (row: InstanceRow) => {
    if (isStopped(row)) await servers.stop(connectionName(row))
    else await start(row)
  }
  const logIgnored = (row: InstanceRow) => {
    const flags = checkFlags(row.settings['databaseFlags'])
    const about = { instance: connectionName(row), databaseVersion: row.databaseVersion, flags }
    if (flags.length > 0) needs.log.warn(about, 'Cloud SQL database flags are kept, not acted upon')
  }
  const toAnswer = (row: InstanceRow) => toInstance(row, needs.project(row.project).number)

  return {
    async insert(project, body, user) {
      const sent = readInstanceBody(body)
      const row = newInstance(project, sent, new Date(needs.clock.nowMs()).toISOString())
      if (find(project, row.name) !== undefined) throw instanceExists()
      await put(row)
      logIgnored(row)
      const create = async () => {
        try {
          const cluster = await start(row)
          if (sent.rootPassword !== undefined) await cluster.putUser('postgres', sent.rootPassword)
          await put({ ...require(project, row.name), state: 'RUNNABLE' })
          if (isStopped(row)) await servers.stop(connectionName(row))
        } catch (error) {
          await remove(row).catch((cause: unknown) => needs.log.error({ err: cause, instance: row.name }, 'half an instance is left'))
          throw error
        }
      }
      const about = { type: 'CREATE', project, instance: row.name, user }
      return operations.start(about, () => servers.exclusive(connectionName(row), create))
    },
    get: (project, instance) => toAnswer(require(project, instance)),
    list: (project, after, limit) => list(key(project, ''), after === '' ? '' : key(project, after), limit).map(toAnswer),
    async change(project, instance, body, user, merge) {
      const sent = readInstanceBody(body)
      const before = require(project, instance)
      if (before.state !== 'RUNNABLE') throw operationInProgress()
      const row = changeInstance(before, sent, merge)
      await put(row)
      if (
        row.databaseVersion !== before.databaseVersion ||
        JSON.stringify(row.settings['databaseFlags']) !== JSON.stringify(before.settings['databaseFlags'])
      )
        logIgnored(row)
      const apply = async () => {
        const now = find(project, instance)
        if (now === undefined) return
        await runAsPolicySays(now)
        if (sent.rootPassword === undefined) return
        if (isStopped(now)) throw notRunning(instance)
        await (await open(now)).putUser('postgres', sent.rootPassword)
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
      await put({ ...row, state: 'PENDING_DELETE' })
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
    rows: (project) => list(project === undefined ? '' : key(project, '')),
    settle: ({ project, name, region }) =>
      servers.exclusive(connectionName({ project, name, region }), async () => {
        const row = find(project, name)
        if (row !== undefined) await (row.state === 'RUNNABLE' ? runAsPolicySays(row) : remove(row))
      }),
    stateOf(row) {
      if (row.state !== 'RUNNABLE') return row.state
      if (isStopped(row)) return 'STOPPED'
      return failed.has(connectionName(row)) ? 'FAILED' : row.state
    },
    projects: () => projectsIn(rows),
    async removeProject(project) {
      const all = rows.list(key(project, '')).flatMap(({ name, value }): InstanceRow[] => {
        try {
          return [JSON.parse(value) as InstanceRow]
        } catch (error) {
          needs.log.error({ err: error, instance: name }, 'the row of a Cloud SQL instance cannot be read')
          return []
        }
      })
      const ended = await Promise.allSettled(all.map((row) => servers.exclusive(connectionName(row), () => remove(row))))
      const failed = ended.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
      await rows.deleteAll(key(project, ''))
    },
  }
}
