import type { ApiAnswer, OpenRequest } from '../../../daemon/control-protocol.ts'
import { prepare } from './build-source.ts'
import { usage, type Given } from './flag-values.ts'
import { notFound } from './get-resource.ts'
import type { Progress } from './progress.ts'
import type { ResourceKind } from './resource-kinds.ts'
import type { Scope } from './scope.ts'

/** How a resource is deployed, created or updated. */
export interface Write {
  readonly kind: ResourceKind
  readonly id: string
  readonly verb: 'deploy' | 'create' | 'update'
  readonly given: readonly Given[]
  readonly engine: OpenRequest['engine']
  /** The resource as the flags make it of what there is. @throws CloudError USAGE */
  toWanted(current: ApiAnswer | undefined, given: readonly Given[]): object
  /** Done once the image is built, before anything is sent. */
  beforeSend?(current: ApiAnswer | undefined): Promise<void>
}

/**
 * Builds what `--source` names and sends the resource; faults in flags are told before anything is built.
 * @returns the operation, and what there was before
 */
export async function writeResource(
  scope: Scope,
  progress: Progress,
  write: Write,
): Promise<{ readonly operation: ApiAnswer; readonly current: ApiAnswer | undefined }> {
  const { kind, id, verb, given, engine, toWanted, beforeSend } = write
  const collection = `${scope.parent}/${kind.collection}`
  const current = await scope.api.find(`${collection}/${id}`)
  const name = `${kind.words.slice(0, 1).toUpperCase()}${kind.words.slice(1)} [${id}]`
  if (verb === 'create' && current !== undefined) throw usage(`${name} already exists.`, `devcloud run ${kind.argument}s update ${id}`)
  if (verb === 'update' && current === undefined) throw notFound(scope, kind, id)
  toWanted(current, given.map((one) => (one.flag === 'source' ? { flag: 'image', value: 'to be built' } : one))) // prettier-ignore
  const wanted = toWanted(current, await prepare(scope, id, given, engine, progress))
  await beforeSend?.(current)
  return { operation: await send(scope, kind, id, current, wanted), current }
}

/** Creates or replaces a resource. @returns the operation */
export function send(scope: Scope, kind: ResourceKind, id: string, current: ApiAnswer | undefined, wanted: object): Promise<ApiAnswer> {
  const collection = `${scope.parent}/${kind.collection}`
  if (current !== undefined) return scope.api.call('PATCH', `${collection}/${id}`, wanted)
  return scope.api.call('POST', `${collection}?${kind.collection.slice(0, -1)}Id=${encodeURIComponent(id)}`, wanted)
}
