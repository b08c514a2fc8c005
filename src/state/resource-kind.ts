import { CloudError, messageOf } from '../base/cloud-error.ts'

/** How the resources of one kind are written in rows. It is a value that needs no open state: `fsck` reads rows by it too. */
export interface ResourceKind<T> {
  /** Its name in the table `resources`, such as `run.service`. Rows on users' disks have it. */
  readonly kind: string
  /** `json` for rows that any JSON parser reads, which is faster than `read`. */
  readonly form: 'json' | 'binary'
  /** The name of the row: unique within the kind, below the name of what the resource belongs to. */
  nameOf(resource: T): string
  /** Throws what it likes for a row that it cannot read. @param name of the row, for a value that has no name of its own */
  read(row: string, name: string): T
  write(resource: T): string
}

/** Resources without a message of Google's own: a row is their JSON. `messageKind` of `api/` is for those with one. */
export function jsonKind<T>(kind: string, nameOf: (resource: T) => string): ResourceKind<T> {
  return { kind, form: 'json', nameOf, read: (row) => JSON.parse(row) as T, write: (resource) => JSON.stringify(resource) }
}

/**
 * The resource in the row of `name`.
 * @throws CloudError ROW_UNREADABLE, also when the resource has another name than its row
 */
export function readRow<T>(kind: ResourceKind<T>, name: string, row: string): T {
  try {
    const resource = kind.read(row, name)
    if (typeof resource !== 'object' || resource === null) throw new TypeError('it is no JSON object')
    const own = kind.nameOf(resource)
    if (own !== name) throw new TypeError(`it names itself ${own}`)
    return resource
  } catch (cause) {
    if (cause instanceof CloudError) throw cause
    throw unreadableRow(`The row ${name} of ${kind.kind}`, cause)
  }
}

export function unreadableRow(row: string, cause: unknown): CloudError {
  return new CloudError('DATA_LOSS', `${row} in the state cannot be read: ${messageOf(cause)}.`, 'devcloud fsck', {
    cause,
    fault: 'ROW_UNREADABLE',
  })
}
