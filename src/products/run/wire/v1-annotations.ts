import { create } from '@bufbuild/protobuf'
import { LaunchStage, LaunchStageSchema } from '../../../api/gen/google/api/launch_stage_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { BinaryAuthorizationSchema } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { invalid } from '../invalid.ts'
import { isReservedKey } from '../reserved-keys.ts'

export type Annotations = Readonly<Record<string, string>>

/** What begins the annotations of Cloud Run's own, and of Knative's. */
export const run = 'run.googleapis.com/'
export const serving = 'serving.knative.dev/'

/** An annotation of version 1 that is a field of `T`, a message of version 2. */
export interface Annotation<T> {
  readonly key: string
  /**
   * Writes the text of an annotation that is not empty into the message. Absent for what the server alone says, and for what is passed over.
   * @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED
   */
  readonly read?: (into: T, text: string, field: string) => void
  /** Empty for none. Absent for what is passed over. */
  readonly write?: (from: T) => string
}

/**
 * Reads annotations into `into` by their table. Those of Cloud Run's own domains are fields: one that the table lacks would be ignored in silence.
 * @param kind of the resource, for messages
 * @throws CloudError UNIMPLEMENTED by name
 */
export function readAnnotations<T>(table: readonly Annotation<T>[], kind: string, annotations: Annotations, into: T): void {
  const known = new Set(table.map(({ key }) => key))
  const unknown = Object.keys(annotations).find((key) => isReservedKey(key) && !known.has(key))
  if (unknown !== undefined) throw unimplemented(`the annotation '${unknown}' on resources of kind '${kind}'`)
  for (const { key, read } of table) {
    const text = annotations[key]
    if (text !== undefined && text !== '') read?.(into, text, `metadata.annotations[${key}]`)
  }
}

/** The way back. */
export function writeAnnotations<T>(table: readonly Annotation<T>[], from: T): Record<string, string> {
  const pairs = table.map(({ key, write }) => [key, write?.(from) ?? ''] as const)
  return Object.fromEntries(pairs.filter(([, text]) => text !== ''))
}

/** Those that are no field: the user's own. */
export function userKeys(map: Annotations | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !isReservedKey(key)))
}

/** A whole number. @throws CloudError INVALID_ARGUMENT, of all that read a text */
export function readCount(text: string, field: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw invalid(`${field}: "${text}" is not a whole number.`)
}

/** `true` or `false`, which gcloud writes as Python does: `True`. */
export function readFlag(text: string, field: string): boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  throw invalid(`${field}: "${text}" must be true or false.`)
}

/** One of the words of `values`. */
export function readWord<T>(text: string, field: string, values: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(values, text) ? values[text] : undefined
  if (value !== undefined) return value
  throw invalid(`${field}: "${text}" is not one of: ${Object.keys(values).join(', ')}.`)
}

/** The first word of `values` that stands for `value`; empty for none. */
export function wordOf<T>(values: Readonly<Record<string, T>>, value: T): string {
  return Object.entries(values).find(([, one]) => one === value)?.[0] ?? ''
}

export function readJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(`${field}: is not JSON.`, 'Correct the annotation.', { cause })
  }
}

/** 0 is what an annotation that is absent says. */
export function countText(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : String(value)
}

/** A field that is the text as it is. */
export function textField<F extends string>(key: string, field: F): Annotation<Record<F, string>> {
  return { key, read: (into, text) => (into[field] = text), write: (from) => from[field] }
}

/** A field that is true or false. */
export function flagField<F extends string>(key: string, field: F): Annotation<Record<F, boolean>> {
  return { key, read: (into, text, at) => (into[field] = readFlag(text, at)), write: (from) => (from[field] ? 'true' : '') }
}

type Common = Pick<Service, 'client' | 'clientVersion' | 'launchStage' | 'binaryAuthorization' | 'creator' | 'lastModifier'>

const stages = { UNIMPLEMENTED: 6, PRELAUNCH: 7, EARLY_ACCESS: 1, ALPHA: 2, BETA: 3, GA: 4, DEPRECATED: 5 } satisfies Readonly<
  Record<string, LaunchStage>
>

/** Of services, jobs and worker pools. */
export const commonAnnotations: readonly Annotation<Common>[] = [
  textField(`${run}client-name`, 'client'),
  textField(`${run}client-version`, 'clientVersion'),
  {
    key: `${run}launch-stage`,
    read: (into, text, field) => (into.launchStage = readWord<LaunchStage>(text, field, stages)),
    write: ({ launchStage: stage }) => (stage === LaunchStage.GA || stage === 0 ? '' : (LaunchStageSchema.value[stage]?.name ?? '')),
  },
  {
    key: `${run}binary-authorization`,
    read: (into, text) => {
      const binauthzMethod = text === 'default' ? { case: 'useDefault' as const, value: true } : { case: 'policy' as const, value: text }
      into.binaryAuthorization = create(BinaryAuthorizationSchema, { binauthzMethod })
    },
    write({ binaryAuthorization }) {
      const method = binaryAuthorization?.binauthzMethod
      return method === undefined ? '' : method.case === 'policy' ? method.value : 'default'
    },
  },
  {
    key: `${run}binary-authorization-breakglass`,
    read({ binaryAuthorization }, text) {
      if (binaryAuthorization !== undefined) binaryAuthorization.breakglassJustification = text
    },
    write: ({ binaryAuthorization }) => binaryAuthorization?.breakglassJustification ?? '',
  },
  { key: `${run}operation-id` },
]

/** Who made a resource, and who changed it: the server says that. */
export function authorAnnotations(domain: string): readonly Annotation<Pick<Common, 'creator' | 'lastModifier'>>[] {
  return [
    { key: `${domain}creator`, write: ({ creator }) => creator },
    { key: `${domain}lastModifier`, write: ({ lastModifier }) => lastModifier },
  ]
}

/** What the server writes on what it makes of a template, and clients send back. */
export const passedAnnotations: readonly Annotation<unknown>[] = [
  ...commonAnnotations,
  ...authorAnnotations(serving),
  ...authorAnnotations(run),
]
  .map(({ key }) => ({ key }))
  .filter(({ key }) => !key.includes('binary-authorization'))
