import { CloudError } from '../../../base/cloud-error.ts'

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

/** The way back: 0 is what an annotation that is absent says. */
export function toCount(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : String(value)
}

export function invalid(field: string, words: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `${field}: ${words}`, 'Correct the request.')
}
