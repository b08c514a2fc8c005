import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt'
import {
  Condition_CommonReasonSchema,
  Condition_ExecutionReasonSchema,
  Condition_RevisionReasonSchema,
  Condition_Severity,
  Condition_State,
  type Condition,
} from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { invalid } from '../invalid.ts'
import type { Settling } from '../conditions.ts'
import type { Annotations } from './v1-annotations.ts'
import { locationLabel, type Json } from './v1-schema.ts'

/** What a resource is called over version 1, whose namespace is the project's number. */
export interface V1Place {
  readonly projectNumber: string
  readonly region: string
}

/** Each kind with the group and the collection that it is of. */
export const v1Kinds = {
  Service: ['serving.knative.dev', 'services'],
  Configuration: ['serving.knative.dev', 'configurations'],
  Route: ['serving.knative.dev', 'routes'],
  Revision: ['serving.knative.dev', 'revisions'],
  Job: ['run.googleapis.com', 'jobs'],
  Execution: ['run.googleapis.com', 'executions'],
  Task: ['run.googleapis.com', 'tasks'],
  WorkerPool: ['run.googleapis.com', 'workerpools'],
} as const

export type V1Kind = keyof typeof v1Kinds

export function toResource(
  kind: V1Kind,
  place: V1Place,
  resource: {
    readonly name: string
    readonly uid: string
    readonly generation: bigint
    readonly etag: string
    readonly createTime?: Timestamp | undefined
    readonly labels: Annotations
  },
  parts: {
    /** Those of the resource unless given. */
    readonly labels?: Annotations
    readonly annotations: Annotations
    readonly owner?: { readonly kind: V1Kind; readonly name: string }
    readonly spec: Json
    readonly status: Json
  },
): Json {
  const [group, collection] = v1Kinds[kind]
  const { labels = resource.labels, annotations, owner, spec, status } = parts
  const id = lastPart(resource.name)
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: {
      name: id,
      namespace: place.projectNumber,
      selfLink: `/apis/${group}/v1/namespaces/${place.projectNumber}/${collection}/${id}`,
      uid: resource.uid,
      resourceVersion: resource.etag.replaceAll('"', ''), // an etag is quoted, a resource version is not
      generation: Number(resource.generation), // a number here, a text in version 2 (run trap 36)
      ...(resource.createTime !== undefined && { creationTimestamp: toTime(resource.createTime) }),
      labels: { ...labels, [locationLabel]: place.region },
      annotations,
      ...(owner !== undefined && { ownerReferences: [toOwner(owner)] }),
    },
    spec,
    status,
  }
}

function toOwner({ kind, name }: { readonly kind: V1Kind; readonly name: string }): Json {
  return { apiVersion: `${v1Kinds[kind][0]}/v1`, kind, name: lastPart(name), controller: true, blockOwnerDeletion: true }
}

export function fromResourceVersion(version: string | null | undefined): string {
  return version ? `"${version}"` : ''
}

export function toTime(time: Timestamp): string {
  return timestampDate(time)
    .toISOString()
    .replace(/\.000Z$/, 'Z')
}

/** Clients read no condition before both generations are equal. */
export function settledGeneration({ reconciling, generation, observedGeneration }: Settling): number {
  return Number(reconciling ? observedGeneration : generation)
}

export function toConditions({ terminalCondition: ready, conditions }: Settling): readonly Json[] {
  return (ready === undefined ? [] : [ready, ...conditions]).map(toCondition)
}

const statuses: Readonly<Record<number, string>> = {
  [Condition_State.CONDITION_SUCCEEDED]: 'True',
  [Condition_State.CONDITION_FAILED]: 'False',
}
const severities: Readonly<Record<number, string>> = { [Condition_Severity.WARNING]: 'Warning', [Condition_Severity.INFO]: 'Info' }

export function toCondition(condition: Condition): Json {
  const { type, state, message, lastTransitionTime, severity } = condition
  const reason = reasonOf(condition)
  return {
    type,
    status: statuses[state] ?? 'Unknown',
    ...(reason !== '' && { reason }),
    ...(message !== '' && { message }),
    ...(severities[severity] !== undefined && { severity: severities[severity] }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime: toTime(lastTransitionTime) }),
  }
}

/** `HEALTH_CHECK_CONTAINER_ERROR` is `HealthCheckContainerError` in version 1. */
function reasonOf({ reasons }: Condition): string {
  const name =
    reasons.case === 'reason'
      ? Condition_CommonReasonSchema.value[reasons.value]?.name
      : reasons.case === 'revisionReason'
        ? Condition_RevisionReasonSchema.value[reasons.value]?.name
        : reasons.case === 'executionReason'
          ? Condition_ExecutionReasonSchema.value[reasons.value]?.name
          : undefined
  return (name ?? '').toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase())
}

/** `a=b, c in (d,e), !f`, as gcloud and kubectl write selectors. @throws CloudError INVALID_ARGUMENT for another form */
export function matchesSelector(selector: string, labels: Readonly<Record<string, string>>): boolean {
  const parts = selector.match(/[^,(]+(?:\([^)]*\))?/g) ?? []
  return parts.every((part) => matchesPart(part.trim(), labels))
}

function matchesPart(part: string, labels: Readonly<Record<string, string>>): boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part)
  if (set !== null) {
    const [, key = '', word, values = ''] = set
    const isIn = values.split(',').some((value) => value.trim() === labels[key])
    return (word === 'in') === isIn
  }
  const pair = /^([^\s=!]+)\s*(==?|!=)\s*(\S*)$/.exec(part)
  if (pair !== null) {
    const [, key = '', sign, value = ''] = pair
    return (sign !== '!=') === (labels[key] === value)
  }
  if (!/^!?[\w./-]+$/.test(part))
    throw invalid(`labelSelector: "${part.slice(0, 100)}" is not understood.`, 'Write a=b, a!=b, a in (b,c), a or !a.')
  return part.startsWith('!') ? labels[part.slice(1)] === undefined : labels[part] !== undefined
}
