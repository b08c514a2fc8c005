import { isRecord } from '../../../base/is-record.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { Problems } from '../../../config/problems.ts'
import type { Place } from '../../../config/place.ts'
import type { Note } from '../../../config/plan-text.ts'
import type { Manifest, WantedJob, WantedRun, WantedService } from './wanted-run.ts'
import { judge, readManifest } from '../manifests.ts'
import { type Json } from '../../../api/google-api.ts'
import { toRunJob } from './to-run-job.ts'
import { toRunService } from './to-run-service.ts'

/** What `up` sends to Cloud Run, and what is to be told of it before. */
export interface WantedBodies {
  /** Version 2's JSON. */
  readonly service: (service: WantedService, image: string) => Json
  readonly job: (job: WantedJob, image: string) => Json
  /** What the files ask for and do not get here. */
  readonly notes: readonly Note[]
}

/** Fields of version 2 that are sent as service.yaml and job.yaml say them, beside what config reads of these files itself. */
const taken = {
  service: ['description', 'labels', 'annotations', 'binaryAuthorization', 'customAudiences', 'launchStage', 'invokerIamDisabled'],
  job: ['labels', 'annotations', 'binaryAuthorization', 'launchStage'],
  template: ['labels', 'annotations'],
  pod: [
    'labels',
    'annotations',
    'vpcAccess',
    'executionEnvironment',
    'encryptionKey',
    'encryptionKeyRevocationAction',
    'encryptionKeyShutdownDuration',
    'healthCheckDisabled',
  ],
} as const

/** Said otherwise in what is sent, or of no effect: names of containers that have none, which tool wrote the file. */
const said = [/^(name|etag|client|clientVersion)$/, /containers\[\]\.name$/, /^scaling\.(min|max)InstanceCount$/, /volumes\[\]\.name$/]

/**
 * Reads the rules of Cloud Run itself over all that the project's files say of services and jobs: there is no second list of them.
 * @throws CloudError CONFIG_INVALID with every refusal and its place
 */
export function wantedBodies(wanted: WantedRun): WantedBodies {
  const problems = new Problems()
  const notes: Note[] = []
  const extras = new Map<string, Json>()
  const look = (kind: 'service' | 'job', { id, manifest, from }: WantedService | WantedJob, base: Json) => {
    const resource = `${kind} ${id}`
    try {
      const told = manifest === undefined ? {} : readManifest(kind, id, manifest.value)
      if (manifest !== undefined) judge(kind, id, told)
      const more = extrasOf(kind, told)
      extras.set(resource, more)
      const body = merged(more, base)
      for (const text of judge(kind, id, body)) notes.push({ resource, text: `stored and not acted upon: ${text}` })
      for (const text of leftOut(told, body)) notes.push({ resource, text: `not applied by up: ${text}` })
    } catch (error) {
      if (!(error instanceof CloudError)) throw error
      problems.add(placeOf(error.message, manifest, from), `${resource}: ${error.message}`)
    }
  }
  for (const service of wanted.services) look('service', service, toRunService(service, 'image'))
  for (const job of wanted.jobs) look('job', job, toRunJob(job, 'image'))
  problems.throwIfAny()
  const extrasFor = (resource: string) => extras.get(resource) ?? {}
  return {
    service: (service, image) => merged(extrasFor(`service ${service.id}`), toRunService(service, image)),
    job: (job, image) => merged(extrasFor(`job ${job.id}`), toRunJob(job, image)),
    notes,
  }
}

function extrasOf(kind: 'service' | 'job', told: Json): Json {
  if (Object.keys(told).length === 0) return {}
  const template = isRecord(told['template']) ? told['template'] : {}
  if (kind === 'service') return { ...picked(told, taken.service), template: picked(template, taken.pod) }
  const task = isRecord(template['template']) ? template['template'] : {}
  return { ...picked(told, taken.job), template: { ...picked(template, taken.template), template: picked(task, taken.pod) } }
}

/** What the file says and `up` does not send. */
function leftOut(told: Json, body: Json): readonly string[] {
  const { ingress, traffic, ...rest } = told
  const sent = new Set(pathsIn(body))
  const missing = [...new Set(pathsIn(rest))].filter((path) => !sent.has(path) && !said.some((pattern) => pattern.test(path)))
  return [
    ...(ingress === undefined || ingress === 'INGRESS_TRAFFIC_ALL' ? [] : ['ingress, so that the browser of this machine gets in']),
    ...(isAllToLatest(traffic) ? [] : ['traffic: the new revision takes all']),
    ...missing,
  ]
}

function isAllToLatest(traffic: unknown): boolean {
  if (!Array.isArray(traffic) || traffic.length === 0) return true
  const [first] = traffic as readonly unknown[]
  return traffic.length === 1 && isRecord(first) && first['revision'] === undefined && first['tag'] === undefined
}

/** Paths of the leaves: `template.containers[].workingDir`. */
function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((part: unknown) => pathsIn(part, `${path}[]`))
  if (!isRecord(value)) return [path]
  return Object.entries(value).flatMap(([key, part]) => pathsIn(part, path === '' ? key : `${path}.${key}`))
}

/** The line of the file that has the key of which the message speaks; else that of the resource. */
function placeOf(message: string, manifest: Manifest | undefined, from: Place): Place {
  const [, ...keys] = /annotations\[([^\]]+)\]|annotation '?([\w./-]+)|Unknown name "([^"]+)"/.exec(message) ?? []
  const key = keys.find((found) => found !== undefined)
  if (key === undefined || manifest === undefined) return from
  const index = manifest.text.split('\n').findIndex((line) => line.includes(key))
  return index < 0 ? from : { file: manifest.file, line: index + 1, column: 1 }
}

function picked(value: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]])))
}

/** `over` in `under`, object by object. */
function merged(under: Json, over: Json): Json {
  const all: Record<string, unknown> = { ...under }
  for (const [key, part] of Object.entries(over)) {
    const before = all[key]
    all[key] = isRecord(before) && isRecord(part) ? merged(before, part) : part
  }
  return all
}
