import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { invalid } from '../invalid.ts'
import type { RunNeeds } from '../needs.ts'
import { parentOf, placeOf, toCall, toList, type V1Call } from './v1-call.ts'
import type { Annotations } from './v1-annotations.ts'
import { v1Kinds, type V1Kind, type V1Place } from './v1-metadata.ts'
import { locationLabel, readV1, type Json } from './v1-schema.ts'

/** A collection of version 1, over the methods of version 2. */
export interface V1Collection<T extends { readonly name: string }> {
  readonly kind: V1Kind
  /** Where it is served beside the namespaces: `/v1/projects/:project/locations/:location/services`. */
  readonly path?: string
  /** Those below `projects/P`, or below one of its locations. */
  all(parent: string): readonly T[]
  /** One of the call's region, or of any where none is told. @throws CloudError NOT_FOUND */
  get(at: V1Call, id: string): T
  show(item: T, place: V1Place): Json
  /** Those that a selector may ask for. */
  labelsOf(item: T): Annotations
  delete?(item: T, isDryRun: boolean): Promise<unknown>
  /** `POST ID:verb`. */
  readonly verbs?: Readonly<Record<string, (at: V1Call, id: string) => Promise<Json>>>
}

/** How the items of a collection are written. */
export interface V1Writes<D extends DescMessage, S extends z.ZodType> {
  readonly schema: S
  readonly message: D
  from(body: z.infer<S>, name: string): MessageShape<D> & Written
  /** What its full name has before the id: `services`. */
  readonly collection: string
  create(
    request: { readonly parent: string; readonly id: string; readonly item: MessageShape<D> & Written },
    at: V1Call,
  ): Promise<Operation>
  replace(item: MessageShape<D> & Written, at: V1Call): Promise<Operation>
}

interface Written {
  readonly name: string
  etag: string
}

/** Serves its list, its items, their deletion and their verbs. */
export function serveCollection<T extends { readonly name: string }>(app: FastifyInstance, needs: RunNeeds, of: V1Collection<T>): void {
  const [group, collection] = v1Kinds[of.kind]
  const call = (request: FastifyRequest) => toCall(needs, request)
  const show = (item: T) => of.show(item, placeOf(needs, item.name))
  const labelsOf = (item: T) => ({ ...of.labelsOf(item), [locationLabel]: placeOf(needs, item.name).region })
  const idOf = (at: V1Call) => at.params['id'] ?? ''
  for (const base of pathsOf(of)) {
    app.get(base, (request) => {
      const at = call(request)
      return toList(at, `${of.kind}List`, `${group}/v1`, of.all(scopeOf(at)), labelsOf, show)
    })
    app.get(`${base}/:id`, (request) => {
      const at = call(request)
      return show(of.get(at, idOf(at)))
    })
    if (of.delete !== undefined)
      app.delete(`${base}/:id`, async (request) => {
        const at = call(request)
        await of.delete?.(of.get(at, idOf(at)), at.isDryRun)
        return { apiVersion: 'v1', kind: 'Status', status: 'Success', details: { name: idOf(at), group, kind: collection } }
      })
    if (of.verbs !== undefined)
      app.post(`${base}/:id`, async (request) => {
        const at = call(request)
        const [id = '', verb = ''] = idOf(at).split(':')
        const act = of.verbs?.[verb]
        if (act === undefined) throw unimplemented(`:${verb} of ${id}`)
        return act(at, id)
      })
  }
}

/** Serves what makes and replaces its items. */
export function serveWrites<D extends DescMessage, S extends z.ZodType>(
  app: FastifyInstance,
  needs: RunNeeds,
  of: V1Collection<MessageShape<D> & Written>,
  writes: V1Writes<D, S>,
): void {
  const written = (operation: Operation, at: V1Call, id: string): Json => {
    const told = at.isDryRun && operation.result.case === 'response' ? anyUnpack(operation.result.value, writes.message) : undefined
    const item = (told as (MessageShape<D> & Written) | undefined) ?? of.get(at, id)
    return of.show(item, placeOf(needs, item.name))
  }
  const nameIn = (body: unknown) => (body as { readonly metadata: { readonly name?: string } }).metadata.name
  const make = async (request: FastifyRequest) => {
    const at = toCall(needs, request)
    const body = readV1(writes.schema, at.body)
    const id = nameIn(body) ?? ''
    const parent = parentOf(at)
    const item = writes.from(body, `${parent}/${writes.collection}/${id}`)
    item.etag = ''
    return written(await writes.create({ parent, id, item }, at), { ...at, region: parent.split('/')[3] }, id)
  }
  const replace = async (request: FastifyRequest) => {
    const at = toCall(needs, request)
    const id = at.params['id'] ?? ''
    const body = readV1(writes.schema, at.body)
    const told = nameIn(body) ?? id
    if (told !== id) throw invalid(`metadata.name: "${told}" is not the "${id}" of the URL.`, 'Correct either.')
    const item = writes.from(body, of.get(at, id).name)
    return written(await writes.replace(item, at), at, id)
  }
  for (const base of pathsOf(of)) {
    app.post(base, (request) => make(request))
    app.put(`${base}/:id`, (request) => replace(request))
  }
}

function pathsOf({ kind, path }: { readonly kind: V1Kind; readonly path?: string }): readonly string[] {
  const [group, collection] = v1Kinds[kind]
  return [`/apis/${group}/v1/namespaces/:namespace/${collection}`, ...(path === undefined ? [] : [path])]
}

/** What all that a call asks for stands below. */
function scopeOf({ project, region }: V1Call): string {
  return `projects/${project.id}${region === undefined ? '' : `/locations/${region}`}`
}

/**
 * How items are found that stand directly below a location: by their name where the region is told, else the first of that id.
 * @param byName @throws CloudError NOT_FOUND
 */
export function findBelow<T extends { readonly name: string }>(
  collection: string,
  all: (parent: string) => readonly T[],
  byName: (name: string) => T,
): V1Collection<T>['get'] {
  return (at, id) => {
    const found = at.region === undefined ? all(scopeOf(at)).find(({ name }) => name.endsWith(`/${collection}/${id}`)) : undefined
    return found ?? byName(`${parentOf(at)}/${collection}/${id}`)
  }
}

/** The same for those deeper below: of each region the names are unique. */
export function findDeep<T extends { readonly name: string }>(
  collection: string,
  all: (parent: string) => readonly T[],
  missing: (id: string) => CloudError,
): V1Collection<T>['get'] {
  return (at, id) => {
    const found = all(scopeOf(at)).find(({ name }) => name.endsWith(`/${collection}/${id}`))
    if (found === undefined) throw missing(id)
    return found
  }
}
