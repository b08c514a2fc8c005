import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf'
import { anyPack, EmptySchema } from '@bufbuild/protobuf/wkt'
import {
  ListOperationsResponseSchema,
  OperationSchema,
  Operations as OperationsService,
  type Operation,
} from './gen/google/longrunning/operations_pb.ts'
import { CloudError } from '../base/cloud-error.ts'
import { openCollection } from '../state/collection.ts'
import type { ResourceKind } from '../state/resource-kind.ts'
import { openResources, type Resources } from '../state/resources.ts'
import type { State } from '../state/state.ts'
import { readMessageFilter } from './filter.ts'
import { paginateList } from './pages.ts'
import { service, type RestBinding, type Service } from './product.ts'
import { toOperationError } from './status.ts'

/** A message with its schema, for packing into an Any. */
export type Packed<T extends DescMessage = DescMessage> = readonly [schema: T, message: MessageShape<T>]

/** Replaces the metadata of an operation that runs. */
export type TellProgress = (metadata: Packed) => Promise<void>

/** Operations of google.longrunning, kept in the state, so that an operation's name is answered after a restart (sql trap 44). */
export interface Operations {
  /**
   * Stores and gives an operation, and runs `work`. The result or error of `work` ends the operation. An operation with a `key` outlives the daemon: the next
   * daemon does not end it, and `resume` goes on with it.
   */
  start(
    about: { readonly parent: string; readonly metadata: Packed; readonly key?: string },
    work: (tell: TellProgress) => Promise<Packed>,
  ): Promise<Operation>
  /** The unfinished operations with a key that an earlier daemon left. */
  left(): readonly { readonly name: string; readonly key: string }[]
  /** Goes on with an operation of `left`. */
  resume(name: string, work: (tell: TellProgress) => Promise<Packed>): void
  /** An operation that is finished at once and not kept. */
  done(about: { readonly parent: string; readonly metadata: Packed }, response: Packed): Operation
  get(name: string): Operation
  /** Resolves with the operation when it is finished, or after `timeoutMs`. */
  wait(name: string, timeoutMs: number, signal?: AbortSignal): Promise<Operation>
  /** google.longrunning.Operations, with the REST paths of the product that serves it: `/v2/{name=projects/*\/locations/*\/operations/*}`. */
  service(...paths: readonly string[]): Service
}

/** The row of an operation, in base64: only readers who know the type of an Any can read it as JSON. */
export const operationKind: ResourceKind<Operation> = {
  kind: 'operation',
  form: 'binary',
  nameOf: ({ name }) => name,
  read: (row) => fromBinary(OperationSchema, Buffer.from(row, 'base64')),
  write: (operation) => Buffer.from(toBinary(OperationSchema, operation)).toString('base64'),
}

export async function openOperations(state: State): Promise<Operations> {
  const keys = openCollection(state, 'operation.key')
  const rows = openResources(state, operationKind, {
    missing: (name) => new CloudError('NOT_FOUND', `Operation '${name}' was not found.`, 'Check its name.'),
    belongings: [keys],
  })
  const waiters = new Map<string, PromiseWithResolvers<void>>()
  const finish = async (operation: Operation, outcome: Operation['result']) => {
    operation.done = true
    operation.result = outcome
    // one that was deleted, with its project or alone, does not come back
    if (rows.find(operation.name) !== undefined) await Promise.all([rows.put(operation), keys.delete(operation.name)])
    waiters.get(operation.name)?.resolve()
    waiters.delete(operation.name)
  }
  const run = (operation: Operation, work: (tell: TellProgress) => Promise<Packed>) => {
    const tell: TellProgress = async ([schema, message]) => {
      if (operation.done || rows.find(operation.name) === undefined) return
      operation.metadata = anyPack(schema, message)
      await rows.put(operation)
    }
    void work(tell)
      .then(
        ([schema, message]) => finish(operation, { case: 'response', value: anyPack(schema, message) }),
        (error: unknown) => finish(operation, { case: 'error', value: toOperationStatus(error) }),
      )
      .catch(() => {}) // the state was closed meanwhile: the next daemon ends the operation, or goes on with it
  }
  const make = (parent: string, [schema, message]: Packed) =>
    create(OperationSchema, { name: `${parent}/operations/${crypto.randomUUID()}`, metadata: anyPack(schema, message) })

  await endInterrupted(
    rows.list('').filter(({ name }) => keys.get(name) === undefined),
    finish,
  )

  const operations: Operations = {
    async start({ parent, metadata, key }, work) {
      const operation = make(parent, metadata)
      waiters.set(operation.name, Promise.withResolvers())
      await Promise.all([rows.put(operation), key === undefined ? undefined : keys.put(operation.name, key)])
      const told = structuredClone(operation)
      run(operation, work)
      return told
    },
    left: () => keys.list('').flatMap(({ name, value }) => (waiters.has(name) ? [] : [{ name, key: value }])),
    resume(name, work) {
      if (waiters.has(name)) return
      waiters.set(name, Promise.withResolvers())
      run(rows.get(name), work)
    },
    done({ parent, metadata }, [schema, message]) {
      const operation = make(parent, metadata)
      operation.done = true
      operation.result = { case: 'response', value: anyPack(schema, message) }
      return operation
    },
    get: rows.get,
    async wait(name, timeoutMs, signal) {
      const pending = waiters.get(name)
      if (pending === undefined) return rows.get(name)
      const timer = Promise.withResolvers<void>()
      const timeout = setTimeout(timer.resolve, timeoutMs)
      signal?.addEventListener('abort', () => timer.resolve(), { once: true })
      await Promise.race([pending.promise, timer.promise])
      clearTimeout(timeout)
      return rows.get(name)
    },
    service: (...paths) => operationsService(operations, rows, paths),
  }
  return operations
}

function operationsService(operations: Operations, rows: Resources<Operation>, paths: readonly string[]): Service {
  const rest = paths.flatMap((path): RestBinding[] => [
    { method: 'getOperation', verb: 'GET', path },
    { method: 'deleteOperation', verb: 'DELETE', path },
    { method: 'waitOperation', verb: 'POST', path: `${path}:wait`, body: '*' },
    { method: 'listOperations', verb: 'GET', path: `${path.replace('/operations/*}', '}')}/operations` },
  ])
  return {
    ...service(OperationsService, {
      getOperation: (request) => operations.get(request.name),
      waitOperation: (request, context) => operations.wait(request.name, Number(request.timeout?.seconds ?? 30n) * 1000, context.signal),
      async deleteOperation(request) {
        rows.get(request.name)
        await rows.delete(request.name)
        return create(EmptySchema)
      },
      listOperations(request) {
        const all = rows.list(`${request.name}/operations`)
        const { items, nextPageToken } = paginateList(
          all.filter(readMessageFilter(request.filter, OperationSchema)),
          request.pageSize,
          request.pageToken,
        )
        return create(ListOperationsResponseSchema, { operations: [...items], nextPageToken })
      },
    }),
    rest,
  }
}

/** Ends the operations that ran when the last daemon ended, so that clients that poll get an error. */
async function endInterrupted(
  all: readonly Operation[],
  finish: (operation: Operation, outcome: Operation['result']) => Promise<void>,
): Promise<void> {
  const interrupted = new CloudError('ABORTED', 'The devcloud daemon ended while this was under way.', 'Try it again.')
  await Promise.all(
    all
      .filter((operation) => !operation.done)
      .map((operation) => finish(operation, { case: 'error', value: toOperationStatus(interrupted) })),
  )
}

function toOperationStatus(error: unknown) {
  const { code, message, details } = toOperationError(error)
  return { $typeName: 'google.rpc.Status' as const, code, message, details: details.map(([schema, value]) => anyPack(schema, value)) }
}
