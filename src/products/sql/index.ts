import type { Listed, Product } from '../../api/product.ts'
import { sqlOffer } from './offer.ts'
import { openDatabases } from './databases.ts'
import { instanceMissing, notRunning } from './errors.ts'
import { isStopped } from './instance-resource.ts'
import { openInstances } from './instances.ts'
import { connectionName, readConnectionName } from './names.ts'
import type { CloudSqlNeeds } from './needs.ts'
import { openSqlOperations } from './operations.ts'
import { planInstances } from './plan.ts'
import type { WantedInstances } from './section.ts'
import { openServers } from './servers.ts'
import { openUsers } from './users.ts'
import { differenceOf } from './versions.ts'
import { sendSqlError, sqlAdminWire } from './wire/json.ts'

export { sqlOffer } from './offer.ts'
export interface CloudSql extends Product {
  /**
   * The host's folder of the socket of `PROJECT:REGION:INSTANCE`, whose server runs when this resolves.
   * @throws CloudError NOT_FOUND, or FAILED_PRECONDITION while its activationPolicy is NEVER
   */
  socketDirectory(connectionName: string): Promise<string>
  startAll(): Promise<void>
  stopProject(project: string): Promise<string>
  removeProject(project: string): Promise<void>
  list(project: string): Promise<readonly Listed[]>
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
    ...sqlOffer,
    hosts: ['sqladmin.googleapis.com'],
    services: [],
    wires: sqlAdminWire({ instances, operations, databases, users }, idOf, needs.log),
    plan: (wanted, site) => planInstances(wanted as WantedInstances, site),
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
      return names.length === 0 ? '' : 'database servers; their data stays: devcloud clean removes it'
    },
    projects: () => instances.projects(),
    async removeProject(project) {
      await instances.removeProject(idOf(project))
      await operations.removeProject(idOf(project))
    },
    list: async (project) =>
      instances.rows(idOf(project)).map((row) => ({
        kind: 'sql',
        id: row.name,
        state: instances.stateOf(row), // STOPPED where the activationPolicy is NEVER, as gcloud shows it
        detail: differenceOf(row.databaseVersion, row.serverVersion) ?? row.databaseVersion,
      })),
    async [Symbol.asyncDispose]() {
      down.abort()
      await operations.settled()
    },
  }
}
