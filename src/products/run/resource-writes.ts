import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf'
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { LaunchStage } from '../../api/gen/google/api/launch_stage_pb.ts'
import type { Job } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import type { Operation } from '../../api/gen/google/longrunning/operations_pb.ts'
import { applyMask } from '../../api/masks.ts'
import type { Packed } from '../../api/operations.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { lastPart } from '../../base/last-part.ts'
import { checkEtag, newEtag } from './etags.ts'
import { checkId, locationOf, type RunKind } from './names.ts'
import type { RunNeeds } from './needs.ts'
import type { RunResources } from './resources.ts'

/** The fields of services, jobs and worker pools that the server alone writes. */
type ServerFields = Pick<
  Job,
  'name' | 'uid' | 'generation' | 'observedGeneration' | 'creator' | 'lastModifier' | 'launchStage' | 'etag' | 'createTime' | 'updateTime'
>

/** Writes them into `resource`: those that stay as `current` has them, or anew. */
export function stamp(resource: ServerFields, current: ServerFields | undefined, caller: string, at: Date): void {
  resource.uid = current?.uid ?? crypto.randomUUID()
  resource.generation = (current?.generation ?? 0n) + 1n
  resource.observedGeneration = current?.observedGeneration ?? 0n
  resource.creator = current?.creator ?? caller
  resource.lastModifier = caller
  resource.launchStage ||= LaunchStage.GA
  resource.createTime = current?.createTime ?? timestampFromDate(at)
  resource.updateTime = timestampFromDate(at)
  resource.etag = newEtag()
}

/** What CreateX, UpdateX and DeleteX of services, jobs and worker pools do alike. `caller` is an email. */
export interface ResourceWrites<T> {
  create(
    request: { readonly parent: string; readonly id: string; readonly sent: T | undefined; readonly validateOnly: boolean },
    caller: string,
  ): Promise<Operation>
  update(request: UpdateRequest<T>, caller: string): Promise<Operation>
  delete(request: { readonly name: string; readonly etag: string; readonly validateOnly: boolean }): Promise<Operation>
}

interface UpdateRequest<T> {
  readonly sent: T | undefined
  /** Paths; without one the update replaces. */
  readonly mask: readonly string[]
  readonly allowMissing: boolean
  readonly validateOnly: boolean
  readonly forceNewRevision?: boolean
}

/** What differs between the three. */
export interface WriteRules<T> {
  /** The resource as it would be stored. Nothing waits between this and `apply`, so that no two writers build on the same state. */
  toStored(sent: T, name: string, current: T | undefined, caller: string): T
  /** The resource as it is told: itself unless given. */
  shown?(resource: T): T
  /** Stores it and puts it into effect behind an operation. */
  apply(resource: T, current: T | undefined, isForced: boolean): Promise<Operation>
  /** Deletes what is stored. @returns what goes on behind the answer, and ends with the resource as it was */
  delete(resource: T): Promise<() => Promise<T>>
}

/** What operations tell of a resource. */
export function aboutResource<D extends DescMessage>(schema: D, resource: MessageShape<D> & { readonly name: string }) {
  return { parent: locationOf(resource.name), metadata: [schema, resource] as Packed<D> }
}

export function openWrites<D extends DescMessage>(
  needs: Pick<RunNeeds, 'operations' | 'clock'>,
  kind: RunKind,
  schema: D,
  resources: RunResources<MessageShape<D> & Writable>,
  rules: WriteRules<MessageShape<D> & Writable>,
): ResourceWrites<MessageShape<D> & Writable> {
  type T = MessageShape<D> & Writable
  const about = (resource: T) => aboutResource<D>(schema, rules.shown?.(resource) ?? resource)
  const done = (resource: T) => needs.operations.done(about(resource), about(resource).metadata)
  const write = async (sent: T | undefined, name: string, current: T | undefined, caller: string, how: Partial<UpdateRequest<T>>) => {
    const resource = rules.toStored(sent ?? (create(schema) as T), name, current, caller)
    return how.validateOnly === true ? done(resource) : rules.apply(resource, current, how.forceNewRevision === true)
  }
  return {
    async create({ parent, id, sent, validateOnly }, caller) {
      checkId(kind, id)
      const name = resources.canonical(`${parent}/${kind.collection}/${id}`)
      if (resources.find(name) !== undefined)
        throw new CloudError('ALREADY_EXISTS', `Resource '${id}' already exists.`, 'Update it, or choose another id.')
      return write(sent, name, undefined, caller, { validateOnly })
    },
    async update(request, caller) {
      const { sent = create(schema) as T, mask, allowMissing } = request
      const name = resources.canonical(sent.name)
      const current = allowMissing ? resources.find(name) : resources.get(sent.name)
      if (current === undefined) checkId(kind, lastPart(name))
      else checkEtag(sent.etag, current.etag)
      const wanted = current === undefined || mask.length === 0 ? sent : (applyMask<D>(schema, current, sent, [...mask]) as T)
      return write(wanted, name, current, caller, request)
    },
    async delete({ name, etag, validateOnly }) {
      const resource = resources.get(name)
      checkEtag(etag, resource.etag)
      if (validateOnly) return done(resource)
      const finish = await rules.delete(resource)
      return needs.operations.start(about(resource), async () => {
        const deleted = await finish()
        deleted.deleteTime ??= timestampFromMs(needs.clock.nowMs())
        return about(deleted).metadata
      })
    },
  }
}

type Writable = Pick<Job, 'name' | 'etag' | 'deleteTime'>
