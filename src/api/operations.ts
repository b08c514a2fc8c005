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
import type { State } from '../state/state.ts'
import { paginate } from './pages.ts'
import { service, type RestBinding, type Service } from './product.ts'
import { toOperationError } from './status.ts'

/** A message with its schema, for packing into an Any. */
export type Packed<T extends DescMessage = DescMessage> = readonly [schema: T, message: MessageShape<T>]

/** google.longrunning operations, kept in the state: a name given out answers after a restart too (sql trap 44). */
export interface Operations {
  /** Stores an operation, answers it, and runs `work` behind it; what `work` gives or throws ends the operation. */
  start(about: { readonly parent: string; readonly metadata: Packed }, work: () => Promise<Packed>): Promise<Operation>
  /** An operation that is over at once and is not kept. */
  done(about: { readonly parent: string; readonly metadata: Packed }, response: Packed): Operation
  get(name: string): Operation
  /** Resolves when it is done, or after `timeoutMs` with what it is then. */
  wait(name: string, timeoutMs: number, signal?: AbortSignal): Promise<Operation>
  /** google.longrunning.Operations, with the REST paths of the product that serves it: `/v2/{name=projects/*\/locations/*\/operations/*}`. */
  service(path: string): Service
}

export async function openOperations(state: State): Promise<Operations> {
  const rows = openCollection(state, 'operation')
  const waiters = new Map<string, PromiseWithResolvers<void>>()
  const read = (value: string) => fromBinary(OperationSchema, Buffer.from(value, 'base64'))
  const put = (operation: Operation) => rows.put(operation.name, Buffer.from(toBinary(OperationSchema, operation)).toString('base64'))
  const get = (name: string): Operation => {
    const value = rows.get(name)
    if (value === undefined) throw new CloudError('NOT_FOUND', `Operation '${name}' was not found.`, 'Check its name.')
    return read(value)
  }
  const finish = async (operation: Operation, outcome: Operation['result']) => {
    operation.done = true
    operation.result = outcome
    await put(operation)
    waiters.get(operation.name)?.resolve()
    waiters.delete(operation.name)
  }
  const make = (parent: string, [schema, message]: Packed) =>
    create(OperationSchema, { name: `${parent}/operations/${crypto.randomUUID()}`, metadata: anyPack(schema, message) })

  await endInterrupted(
    rows.list('').map((row) => read(row.value)),
    finish,
  )

  const operations: Operations = {
    async start({ parent, metadata }, work) {
      const operation = make(parent, metadata)
      waiters.set(operation.name, Promise.withResolvers())
      await put(operation)
      const told = structuredClone(operation)
      void work().then(
        ([schema, message]) => finish(operation, { case: 'response', value: anyPack(schema, message) }),
        (error: unknown) => finish(operation, { case: 'error', value: toOperationStatus(error) }),
      )
      return told
    },
    done({ parent, metadata }, [schema, message]) {
      const operation = make(parent, metadata)
      operation.done = true
      operation.result = { case: 'response', value: anyPack(schema, message) }
      return operation
    },
    get,
    async wait(name, timeoutMs, signal) {
      const pending = waiters.get(name)
      if (pending === undefined) return get(name)
      const timer = Promise.withResolvers<void>()
      const timeout = setTimeout(timer.resolve, timeoutMs)
      signal?.addEventListener('abort', () => timer.resolve(), { once: true })
      await Promise.race([pending.promise, timer.promise])
      clearTimeout(timeout)
      return get(name)
    },
    service: (path) => operationsService(operations, rows, read, path),
  }
  return operations
}

function operationsService(
  operations: Operations,
  rows: ReturnType<typeof openCollection>,
  read: (value: string) => Operation,
  path: string,
): Service {
  const rest: RestBinding[] = [
    { method: 'getOperation', verb: 'GET', path },
    { method: 'deleteOperation', verb: 'DELETE', path },
    { method: 'waitOperation', verb: 'POST', path: `${path}:wait`, body: '*' },
    { method: 'listOperations', verb: 'GET', path: `${path.replace('/operations/*}', '}')}/operations` },
  ]
  return {
    ...service(OperationsService, {
      getOperation: (request) => operations.get(request.name),
      waitOperation: (request, context) => operations.wait(request.name, Number(request.timeout?.seconds ?? 30n) * 1000, context.signal),
      async deleteOperation(request) {
        operations.get(request.name)
        await rows.delete(request.name)
        return create(EmptySchema)
      },
      listOperations(request) {
        const page = paginate(rows, `${request.name}/operations/`, request.pageSize, request.pageToken)
        return create(ListOperationsResponseSchema, {
          operations: page.items.map((row) => read(row.value)),
          nextPageToken: page.nextPageToken,
        })
      },
    }),
    rest,
  }
}

/** What was under way when the last daemon ended will not go on: clients that poll are told so. */
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
