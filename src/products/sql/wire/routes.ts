import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Databases } from '../databases.ts'
import { invalid } from '../errors.ts'
import { listFlags } from '../flags.ts'
import type { Instances } from '../instances.ts'
import { readInstanceId } from '../names.ts'
import type { SqlOperations } from '../operations.ts'
import { listTiers } from '../tiers.ts'
import type { Users } from '../users.ts'

/** What the routes call. */
export interface SqlAdmin {
  readonly instances: Instances
  readonly operations: SqlOperations
  readonly databases: Databases
  readonly users: Users
}

/** A request, read: the parts of its path, the caller's address, the JSON of its body. */
export interface Call {
  readonly project: string
  readonly instance: string
  /** The last part of the path: a database, a user, an operation. */
  readonly id: string
  readonly user: string
  readonly body: unknown
  /** A parameter's first value; empty without one. */
  query(name: string): string
}

/** `parameters` are the names of the query that the method has; others are refused. */
export type Route = readonly [
  verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  answer: (call: Call) => unknown,
  ...parameters: readonly string[],
]

/** Paths below the API's prefix. */
export function sqlRoutes({ instances, operations, databases, users }: SqlAdmin): readonly Route[] {
  const all = '/projects/:project/instances'
  const one = `${all}/:instance`
  return [
    ['GET', '/flags', listFlags, 'databaseVersion', 'flagScope'],
    ['GET', '/projects/:project/tiers', listTiers],

    ['GET', all, (call) => listInstances(instances, call), 'filter', 'maxResults', 'pageToken'],
    ['POST', all, ({ project, body, user }) => instances.insert(project, body, user)],
    ['GET', one, ({ project, instance }) => instances.get(project, instance)],
    ['PATCH', one, ({ project, instance, body, user }) => instances.change(project, instance, body, user, true)],
    ['PUT', one, ({ project, instance, body, user }) => instances.change(project, instance, body, user, false)],
    [
      'DELETE',
      one,
      ({ project, instance, user, query }) => instances.delete(project, instance, query('enableFinalBackup') === 'true', user),
      'enableFinalBackup',
      'finalBackupTtlDays',
      'finalBackupExpiryTime',
      'finalBackupDescription',
    ],
    ['POST', `${one}/restart`, ({ project, instance, user }) => instances.restart(project, instance, user)],

    ['GET', `${one}/databases`, async ({ project, instance }) => toList('sql#databasesList', await databases.list(project, instance))],
    ['POST', `${one}/databases`, ({ project, instance, body, user }) => databases.insert(project, instance, body, user)],
    ['GET', `${one}/databases/:id`, ({ project, instance, id }) => databases.get(project, instance, id)],
    ['PATCH', `${one}/databases/:id`, ({ project, instance, id, body, user }) => databases.change(project, instance, id, body, user)],
    ['PUT', `${one}/databases/:id`, ({ project, instance, id, body, user }) => databases.change(project, instance, id, body, user)],
    ['DELETE', `${one}/databases/:id`, ({ project, instance, id, user }) => databases.delete(project, instance, id, user)],

    ['GET', `${one}/users`, async ({ project, instance }) => toList('sql#usersList', await users.list(project, instance))],
    ['POST', `${one}/users`, ({ project, instance, body, user }) => users.insert(project, instance, body, user)],
    ['GET', `${one}/users/:id`, ({ project, instance, id }) => users.get(project, instance, id), 'host'],
    ['PUT', `${one}/users`, (call) => updateUser(users, call), 'name', 'host', 'databaseRoles', 'revokeExistingRoles'],
    [
      'DELETE',
      `${one}/users`,
      ({ project, instance, user, query }) => users.delete(project, instance, query('name'), user),
      'name',
      'host',
    ],

    // none can be made: lists of them are read before an instance is changed or deleted
    ['GET', `${one}/backupRuns`, (call) => toEmptyList('sql#backupRunsList', instances, call), 'maxResults', 'pageToken'],
    ['GET', `${one}/sslCerts`, (call) => toEmptyList('sql#sslCertsList', instances, call)],
    ['GET', '/projects/:project/backups', () => ({}), 'filter', 'pageSize', 'pageToken'],

    ['GET', '/projects/:project/operations', (call) => listOperations(operations, call), 'instance', 'maxResults', 'pageToken'],
    ['GET', '/projects/:project/operations/:id', ({ project, id }) => operations.get(project, id)],
    ['POST', '/projects/:project/operations/:id/cancel', ({ project, id }) => refuseCancel(operations.get(project, id).operationType)],
  ]
}

function listInstances(instances: Instances, { project, query }: Call) {
  const size = readPageSize(query('maxResults'))
  return toPage('sql#instancesList', instances.list(project, query('filter'), readToken(query('pageToken')), size + 1), size, (item) =>
    String(item['name']),
  )
}

function listOperations(operations: SqlOperations, { project, query }: Call) {
  const size = readPageSize(query('maxResults'))
  const items = operations.list(project, readInstanceId(query('instance')), readToken(query('pageToken')), size + 1)
  return toPage('sql#operationsList', items, size, (item) => item.name)
}

function updateUser(users: Users, { project, instance, body, user, query }: Call) {
  if (query('databaseRoles') !== '') throw unimplemented('the databaseRoles of sql.users.update')
  if (query('revokeExistingRoles') === 'true') throw unimplemented('the revokeExistingRoles of sql.users.update')
  return users.update(project, instance, query('name'), body, user)
}

/** Google cancels imports and exports alone, and there are none here. */
function refuseCancel(operationType: string): never {
  throw new CloudError('FAILED_PRECONDITION', `An operation of type ${operationType} cannot be cancelled.`, 'Wait until it is done.')
}

/** At most 500, which is also the default. */
function readPageSize(told: string): number {
  if (told !== '' && !/^\d{1,9}$/.test(told)) throw invalid(`Invalid value for: maxResults (${told}).`)
  return Math.min(Number(told) || 500, 500)
}

/** The name that the page before ended with; empty for the first page. */
function readToken(token: string): string {
  return Buffer.from(token, 'base64url').toString('utf8')
}

/** @param items one more than `size` when there is a next page */
function toPage<T>(kind: string, items: readonly T[], size: number, nameOf: (item: T) => string) {
  const page = items.slice(0, size)
  const last = page.at(-1)
  const nextPageToken = items.length > size && last !== undefined ? Buffer.from(nameOf(last)).toString('base64url') : undefined
  return { ...toList(kind, page), ...(nextPageToken !== undefined && { nextPageToken }) }
}

/** @throws CloudError NOT_FOUND for an instance that is not there; `-` stands for all */
function toEmptyList(kind: string, instances: Instances, { project, instance }: Call) {
  if (instance !== '-') instances.get(project, instance)
  return toList(kind, [])
}

/** An empty list has no `items`, as in Google's JSON. */
function toList<T>(kind: string, items: readonly T[]) {
  return { kind, ...(items.length > 0 && { items }) }
}
