import type { FastifyInstance, FastifyRequest } from 'fastify'
import { requireCaller } from '../../../api/caller.ts'
import { readJson } from '../../../api/json-body.ts'
import { checkProject, checkRegion } from '../../../api/names.ts'
import { paginateList } from '../../../api/pages.ts'
import { isSystemParameter, unknownParameter } from '../../../api/rest-request.ts'
import { hostOf } from '../../../api/routes.ts'
import { invalid } from '../invalid.ts'
import type { Project, RunNeeds } from '../needs.ts'
import { matchesSelector, type V1Place } from './v1-metadata.ts'
import type { Json } from './v1-schema.ts'

/** One call of version 1: where, of whom, and how much is asked for. */
export interface V1Call {
  readonly project: Project
  /** From the host `us-central1-run.googleapis.com`, or the path; undefined where neither tells: `-`, or the endpoints port. */
  readonly region: string | undefined
  readonly caller: string
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: unknown
  /** Nothing is to be stored (run trap 37). */
  readonly isDryRun: boolean
}

/**
 * Parameters of version 1's methods. Of those of a list, labelSelector, limit and continue are acted upon, of locations the last three; of the
 * others Google says that they are not used. Source: cloud.google.com/run/docs/reference/rest/v1/namespaces.services.
 */
const parameters = new Set(
  `dryRun labelSelector limit continue fieldSelector includeUninitialized resourceVersion watch kind apiVersion propagationPolicy
  filter pageSize pageToken`.split(/\s+/),
)

/** `request.params` has `namespace`, or `project` and `location`. */
export function toCall(needs: RunNeeds, request: FastifyRequest): V1Call {
  const params = request.params as V1Call['params']
  const query = request.query as V1Call['query']
  const unknown = Object.keys(query).find((name) => !parameters.has(name) && !isSystemParameter(name))
  if (unknown !== undefined) throw unknownParameter(unknown)
  const location = params['location'] ?? /^(.+)-run\.(?:googleapis\.com|localhost)$/.exec(hostOf(request.headers))?.[1]
  const project = params['namespace'] ?? params['project'] ?? ''
  checkProject(project)
  const region = location === '-' ? undefined : location
  if (region !== undefined) checkRegion(region)
  return {
    project: needs.project(project),
    region,
    caller: requireCaller(request.caller).email,
    params,
    query,
    body: request.body,
    isDryRun: query['dryRun'] === 'all',
  }
}

/** Reads bodies as JSON, whatever type they say they have. */
export function takeJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJson(body as Buffer) ?? {})
    } catch (error) {
      done(error as Error)
    }
  })
}

/**
 * A list as Kubernetes has it: `labelSelector`, `limit` and `continue` are read from the query.
 * @param labelsOf those that a selector may ask for, beside the ones that `toItem` writes
 */
export function toList<T extends { readonly name: string }>(
  call: V1Call,
  kind: string,
  apiVersion: string,
  all: readonly T[],
  labelsOf: (item: T) => Readonly<Record<string, string>>,
  toItem: (item: T) => Json,
): Json {
  const selector = call.query['labelSelector'] ?? ''
  const limit = Number(call.query['limit'] ?? 0)
  if (!Number.isInteger(limit)) throw invalid('limit must be a whole number.')
  const matching = selector === '' ? all : all.filter((item) => matchesSelector(selector, labelsOf(item)))
  const { items, nextPageToken } = paginateList(matching, limit || 1000, call.query['continue'] ?? '')
  return { apiVersion, kind, metadata: nextPageToken === '' ? {} : { continue: nextPageToken }, items: items.map(toItem) }
}

/** The place of a resource by its full name `projects/P/locations/R/...`. */
export function placeOf(needs: RunNeeds, name: string): V1Place {
  const [, project = '', , region = ''] = name.split('/')
  return { projectNumber: needs.project(project).number, region }
}

/** Where something new is made: the project's own region when the host does not tell. */
export function parentOf({ project, region }: V1Call): string {
  return `projects/${project.id}/locations/${region ?? project.region ?? 'us-central1'}`
}
