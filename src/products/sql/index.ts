import type { Product } from '../../api/product.ts'
import { openDatabases } from './databases.ts'
import { instanceMissing, notRunning } from './errors.ts'
import { isStopped } from './instance-resource.ts'
import { openInstances } from './instances.ts'
import { connectionName, readConnectionName } from './names.ts'
import type { CloudSqlNeeds } from './needs.ts'
import { openSqlOperations } from './operations.ts'
import { openServers } from './servers.ts'
import { openUsers } from './users.ts'
import { differenceOf } from './versions.ts'
import { sendSqlError, sqlAdminWire } from './wire/json.ts'

export { instanceKind } from './instances.ts'
export { sqlOperationKind } from './operations.ts'

export interface CloudSql extends Product {
  /**
   * The host's folder of the socket of `PROJECT:REGION:INSTANCE`, whose server runs when this resolves.
   * @throws CloudError NOT_FOUND, or FAILED_PRECONDITION while its activationPolicy is NEVER
   */
  socketDirectory(connectionName: string): Promise<string>
  /** At daemon start: servers run again as their activationPolicy says. One that does not start is logged, and tried again when it is needed. */
  startAll(): Promise<void>
  /** Stops its servers until they are needed again; their data and policies stay. */
  stopProject(project: string): Promise<void>
  /** Removes its instances with their data, and its operations. */
  removeProject(project: string): Promise<void>
  /** `state` is STOPPED where the activationPolicy is NEVER, as gcloud shows it; `note` is there where another version runs than was asked for. */
  instances(project: string): readonly { readonly id: string; readonly version: string; readonly state: string; readonly note?: string }[]
}

/** Cloud SQL for PostgreSQL: the Admin API v1 and v1beta4 over real servers, which listen on Unix sockets alone. */
export function cloudSql(needs: CloudSqlNeeds): CloudSql {
  const down = new AbortController()
  const servers = openServers(needs.postgres, down.signal)
  const operations = openSqlOperations(needs)
  const instances = openInstances(needs, servers, operations)
  const databases = openDatabases(instances, operations)
  const users = openUsers(instances, operations)
  const idOf = (project: string) => needs.project(project).id
  return {
    name: 'sql',
    hosts: ['sqladmin.googleapis.com'],
    services: [],
    wires: sqlAdminWire({ instances, operations, databases, users }, idOf, needs.log),
    refuse: (request, reply, error) => sendSqlError(request, reply, error, needs.log),
    async socketDirectory(name) {
      const told = readConnectionName(name)
      const project = idOf(told.project)
      const row = instances.rows(project).find((candidate) => candidate.name === told.instance && candidate.region === told.region)
      if (row === undefined) throw instanceMissing(project, told.instance)
      if (isStopped(row)) throw notRunning(row.name)
      return instances.inside(project, row.name, async (cluster) => cluster.socketDirectory)
    },
    async startAll() {
      const settle = instances.rows().map(async (row) => {
        try {
          await instances.settle(row)
        } catch (error) {
          needs.log.error({ err: error, instance: connectionName(row) }, 'a Cloud SQL instance did not start')
        }
      })
      await Promise.all(settle)
      await instances.sweep()
    },
    async stopProject(project) {
      const names = instances.rows(idOf(project)).map(connectionName)
      await Promise.all(names.map((name) => servers.exclusive(name, () => servers.stop(name))))
    },
    projects: () => instances.projects(),
    async removeProject(project) {
      await instances.removeProject(idOf(project))
      await operations.removeProject(idOf(project))
    },
    instances: (project) =>
      instances.rows(idOf(project)).map((row) => {
        const note = differenceOf(row.databaseVersion, row.serverVersion)
        return {
          id: row.name,
          version: row.databaseVersion,
          state: instances.stateOf(row),
          ...(note !== undefined && { note }),
        }
      }),
    async [Symbol.asyncDispose]() {
      down.abort()
      await operations.settled()
    },
  }
}
