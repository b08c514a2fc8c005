import type { DescMessage } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { invalid } from '../invalid.ts'
import type { RunNeeds } from '../needs.ts'
import type { ResourceWrites } from '../resource-writes.ts'
import type { Annotations } from './v1-annotations.ts'
import { parentOf, placeOf, toCall, toList, type V1Call } from './v1-call.ts'
import { v1Kinds, type V1Kind, type V1Place } from './v1-metadata.ts'
import { locationLabel, namedSchema, readV1, type Json } from './v1-schema.ts'

/** A collection of version 1, over the methods of version 2. */
export interface V1Collection<T extends Item> {
  readonly kind: V1Kind
  /** As in full names: `workerPools`. */
  readonly collection: string
  /** Where it is served beside the namespaces: `/v1/projects/:project/locations/:location/services`. */
  readonly path?: string
  /** Those below `projects/P`, or below one of its locations. */
  all(parent: string): readonly T[]
  /** For what stands directly below a location. @throws CloudError NOT_FOUND */
  byName?(name: string): T
  show(item: T, place: V1Place): Json
  /** Those that a selector may ask for: its own, and these. */
  labelsOf?(item: T): Annotations
  readonly writes?: V1Writes<T>
  delete?(item: T, isDryRun: boolean): Promise<unknown>
  /** `POST ID:verb`. */
  readonly verbs?: Readonly<Record<string, (item: T, at: V1Call) => Promise<Json>>>
}

/** How the items of a collection are made, replaced and deleted. */
interface V1Writes<T> {
  /** A body as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED */
  read(body: unknown, name: string): T
  readonly message: DescMessage
  readonly by: ResourceWrites<T>
}

interface Item {
  readonly name: string
  etag: string
  readonly labels: Annotations
}

export function serveCollection<T extends Item>(app: FastifyInstance, needs: RunNeeds, of: V1Collection<T>): void {
  const [group, collection] = v1Kinds[of.kind]
  const { writes, verbs } = of
  const show = (item: T) => of.show(item, placeOf(needs, item.name))
  const labelsOf = (item: T) => ({
    ...(of.labelsOf?.(item) ?? item.labels),
    [locationLabel]: placeOf(needs, item.name).region,
  })
  const remove = of.delete ?? (writes && (({ name }: T, validateOnly: boolean) => writes.by.delete({ name, etag: '', validateOnly })))
  /** Hands a handler the call and its id. */
  const on = (work: (at: V1Call, id: string) => Json | Promise<Json>) => (request: FastifyRequest) => {
    const at = toCall(needs, request)
    return work(at, at.params['id'] ?? '')
  }
  for (const base of [`/apis/${group}/v1/namespaces/:namespace/${collection}`, ...(of.path === undefined ? [] : [of.path])]) {
    app.get(
      base,
      on((at) => toList(at, `${of.kind}List`, `${group}/v1`, of.all(scopeOf(at)), labelsOf, show)),
    )
    app.get(
      `${base}/:id`,
      on((at, id) => show(find(of, at, id))),
    )
    if (remove !== undefined)
      app.delete(
        `${base}/:id`,
        on(async (at, id) => {
          await remove(find(of, at, id), at.isDryRun)
          return { apiVersion: 'v1', kind: 'Status', status: 'Success', details: { name: id, group, kind: collection } }
        }),
      )
    if (verbs !== undefined)
      app.post(
        `${base}/:id`,
        on((at, told) => {
          const [id = '', verb = ''] = told.split(':')
          const act = verbs[verb]
          if (act === undefined) throw unimplemented(`:${verb} of ${id}`)
          return act(find(of, at, id), at)
        }),
      )
    if (writes === undefined) continue
    app.post(
      base,
      on(async (at) => show(await make(of, writes, at))),
    )
    app.put(
      `${base}/:id`,
      on(async (at, id) => show(await replace(of, writes, at, id))),
    )
  }
}

async function make<T extends Item>(of: V1Collection<T>, writes: V1Writes<T>, at: V1Call): Promise<T> {
  const { name: id } = readV1(namedSchema, at.body).metadata
  const parent = parentOf(at)
  const sent = writes.read(at.body, `${parent}/${of.collection}/${id ?? ''}`)
  sent.etag = ''
  const operation = await writes.by.create({ parent, id: id ?? '', sent, validateOnly: at.isDryRun }, at.caller)
  return planned(writes, operation, at) ?? find(of, { ...at, region: parent.split('/')[3] }, id ?? '')
}

async function replace<T extends Item>(of: V1Collection<T>, writes: V1Writes<T>, at: V1Call, id: string): Promise<T> {
  const told = readV1(namedSchema, at.body).metadata.name ?? id
  if (told !== id)
    throw invalid(`metadata.name: "${told}" is not the "${id}" of the URL.`, 'Send the same name in metadata.name and in the URL.')
  const sent = writes.read(at.body, find(of, at, id).name)
  const operation = await writes.by.update({ sent, mask: [], allowMissing: false, validateOnly: at.isDryRun }, at.caller)
  return planned(writes, operation, at) ?? find(of, at, id)
}

/** What a dry run tells. */
function planned<T>({ message }: V1Writes<T>, { result }: Operation, { isDryRun }: V1Call): T | undefined {
  return isDryRun && result.case === 'response' ? (anyUnpack(result.value, message) as T | undefined) : undefined
}

/** One of the call's region, or of any where none is told. @throws CloudError NOT_FOUND */
function find<T extends Item>({ kind, collection, all, byName }: V1Collection<T>, at: V1Call, id: string): T {
  const isKnown = byName !== undefined && at.region !== undefined
  const found = isKnown ? undefined : all(scopeOf(at)).find(({ name }) => name.endsWith(`/${collection}/${id}`))
  if (found !== undefined) return found
  if (byName !== undefined) return byName(`${parentOf(at)}/${collection}/${id}`)
  throw new CloudError('NOT_FOUND', `${kind} '${id}' was not found.`, `gcloud run ${lists[kind] ?? collection} list`)
}

const lists: Readonly<Partial<Record<V1Kind, string>>> = { Execution: 'jobs executions', Task: 'jobs executions tasks' }

/** What all that a call asks for stands below. */
function scopeOf({ project, region }: V1Call): string {
  return `projects/${project.id}${region === undefined ? '' : `/locations/${region}`}`
}
