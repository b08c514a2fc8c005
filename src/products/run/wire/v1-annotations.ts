import { LaunchStage } from '../../../api/gen/google/api/launch_stage_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { isReservedKey } from '../reserved-keys.ts'

export type Annotations = Readonly<Record<string, string>>

/** What begins the annotations of Cloud Run's own. */
export const run = 'run.googleapis.com/'

/** A whole number that is written as text; undefined for none. @throws CloudError INVALID_ARGUMENT */
export function readCount(annotations: Annotations, key: string): number | undefined {
  const text = annotations[key]
  if (text === undefined || text === '') return undefined
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw invalid(`metadata.annotations[${key}]`, `"${text}" is not a whole number.`)
}

/** `true` or `false`, which gcloud writes as Python does: `True`; undefined for none. @throws CloudError INVALID_ARGUMENT */
export function readFlag(annotations: Annotations, key: string): boolean | undefined {
  const text = annotations[key]
  if (text === undefined || text === '') return undefined
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  throw invalid(`metadata.annotations[${key}]`, `"${text}" must be true or false.`)
}

/** One of the words of `values`; undefined for none. @throws CloudError INVALID_ARGUMENT */
export function readWord<T>(annotations: Annotations, key: string, values: Readonly<Record<string, T>>): T | undefined {
  const text = annotations[key]
  if (text === undefined || text === '') return undefined
  if (Object.hasOwn(values, text)) return values[text]
  throw invalid(`metadata.annotations[${key}]`, `"${text}" is not one of: ${Object.keys(values).join(', ')}.`)
}

const stages = { UNIMPLEMENTED: 6, PRELAUNCH: 7, EARLY_ACCESS: 1, ALPHA: 2, BETA: 3, GA: 4, DEPRECATED: 5 } satisfies Readonly<
  Record<string, LaunchStage>
>

/** @throws CloudError INVALID_ARGUMENT */
export function readLaunchStage(annotations: Annotations): LaunchStage {
  return readWord<LaunchStage>(annotations, `${run}launch-stage`, stages) ?? LaunchStage.LAUNCH_STAGE_UNSPECIFIED
}

/**
 * Annotations of Cloud Run's own domains are fields: one that is not read would be ignored in silence.
 * @param known those that are read, or that the server itself writes
 * @throws CloudError UNIMPLEMENTED by name
 */
export function refuseUnknownAnnotations(annotations: Annotations, kind: string, known: ReadonlySet<string>): void {
  const unknown = Object.keys(annotations).find((key) => isReservedKey(key) && !known.has(key))
  if (unknown !== undefined) throw unimplemented(`the annotation '${unknown}' on resources of kind '${kind}'`)
}

/** The way back: 0 is what an annotation that is absent says. */
export function toCount(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : String(value)
}

export function invalid(field: string, words: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `${field}: ${words}`, 'Correct the request.')
}
