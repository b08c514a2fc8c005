import { fromBinary, type DescMessage } from '@bufbuild/protobuf'
import type { DatabaseSync } from 'node:sqlite'
import { ExecutionSchema } from '../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { RevisionSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceSchema } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { WorkerPoolSchema } from '../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { SecretSchema } from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { ServiceAccountSchema } from '../../api/gen/google/iam/admin/v1/iam_pb.ts'
import { PolicySchema } from '../../api/gen/google/iam/v1/policy_pb.ts'
import { OperationSchema } from '../../api/gen/google/longrunning/operations_pb.ts'
import { readMessage } from '../../api/message-row.ts'
import { messageOf } from '../../base/cloud-error.ts'

export interface RowFault {
  readonly kind: string
  readonly name: string
  readonly why: string
}

const messages: Readonly<Record<string, DescMessage>> = {
  'iam.account': ServiceAccountSchema,
  'iam.policy': PolicySchema,
  'run.execution': ExecutionSchema,
  'run.job': JobSchema,
  'run.revision': RevisionSchema,
  'run.service': ServiceSchema,
  'run.service.deleted': ServiceSchema,
  'run.workerpool': WorkerPoolSchema,
  'run.workerpool.revision': RevisionSchema,
  'secretmanager.secret': SecretSchema,
}

const objects: readonly string[] = ['iam.key', 'project', 'sql.instance', 'sql.operation']

/** Before the kind of a row that was set aside. */
const aside = 'unreadable:'
const fullyReadRows = 4000

/**
 * Sets rows aside that cannot be read, so that one of them stops no start, status, down or clean: they stay in the table under another kind,
 * which nobody reads, until `devcloud fsck --repair`, or until a version comes that can read them. Projects are left: `status` tells of them.
 * A message takes some 50 microseconds: of more than a few thousand rows only the JSON is read, lest the start wait for it.
 * @returns what was set aside now
 */
export function setAsideUnreadable(db: DatabaseSync): readonly RowFault[] {
  const back = db.prepare(`UPDATE OR IGNORE resources SET kind = ? WHERE kind = ? AND name = ?`)
  const faults: RowFault[] = []
  const isLarge = Number(db.prepare('SELECT count(*) AS n FROM resources').get()?.['n'] ?? 0) > fullyReadRows
  for (const fault of checkRows(db, isLarge ? readJson : readRow)) {
    if (fault.kind === 'project' || fault.kind.startsWith(aside)) continue
    back.run(aside + fault.kind, fault.kind, fault.name)
    faults.push(fault)
  }
  for (const row of db.prepare('SELECT kind, name, value FROM resources WHERE kind GLOB ?').all(`${aside}*`)) {
    const { kind, name, value } = row as Record<'kind' | 'name' | 'value', string>
    if (whyUnreadable(kind.slice(aside.length), value) === undefined) back.run(kind.slice(aside.length), kind, name)
  }
  return faults
}

/** Reads every row of `resources` as the room does that wrote it. Kinds that are not named here are plain words, which any text is. */
export function checkRows(db: DatabaseSync, read = readRow): readonly RowFault[] {
  const faults: RowFault[] = []
  for (const row of db.prepare('SELECT kind, name, value FROM resources').iterate()) {
    const { kind, name, value } = row as Record<'kind' | 'name' | 'value', string>
    const why = whyUnreadable(kind.replace(aside, ''), value, read)
    if (why !== undefined) faults.push({ kind, name, why })
  }
  return faults
}

function whyUnreadable(kind: string, value: string, read = readRow): string | undefined {
  try {
    read(kind, value)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function readRow(kind: string, value: string): void {
  const schema = messages[kind]
  if (schema !== undefined) readMessage(schema, value)
  if (kind === 'operation') fromBinary(OperationSchema, Buffer.from(value, 'base64'))
  if (objects.includes(kind)) readJson(kind, value)
}

function readJson(kind: string, value: string): void {
  if (messages[kind] === undefined && !objects.includes(kind)) return
  const read: unknown = JSON.parse(value)
  if (typeof read !== 'object' || read === null) throw new TypeError('it is no JSON object')
}
