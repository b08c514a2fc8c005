import { CloudError } from '../base/cloud-error.ts'

/** Google Cloud's rules for labels, which its products share. Source: cloud.google.com/resource-manager/docs/labels-overview, "Requirements for labels". */
export const mostLabels = 64

export function isLabelKey(text: string): boolean {
  return /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(text) && Buffer.byteLength(text) <= 128
}

export function isLabelValue(text: string): boolean {
  return /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(text) && Buffer.byteLength(text) <= 128
}

/**
 * @param field the path of the labels, for messages: `service.labels`
 * @throws CloudError INVALID_ARGUMENT
 */
export function checkLabels(field: string, labels: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(labels)
  if (entries.length > mostLabels) throw invalid(field, `at most ${mostLabels} labels may be set, but there are ${entries.length}.`)
  for (const [name, text] of entries) {
    if (!isLabelKey(name))
      throw invalid(
        field,
        `The label key [${name}] must be 1 to 63 characters, at most 128 bytes, and match [\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}.`,
      )
    if (typeof text !== 'string' || !isLabelValue(text))
      throw invalid(
        field,
        `The value [${String(text)}] of the label [${name}] must be at most 63 characters, at most 128 bytes, and match [\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}.`,
      )
  }
}

function invalid(field: string, words: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `${field}: ${words}`, 'Use lower case letters, digits, hyphens and underscores.')
}
