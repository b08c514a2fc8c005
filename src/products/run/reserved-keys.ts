import { checkLabels } from '../../api/labels.ts'
import { invalid } from './invalid.ts'

const domains = ['run.googleapis.com', 'cloud.googleapis.com', 'serving.knative.dev', 'autoscaling.knative.dev']

/** Whether a label or annotation is of a domain that version 2 keeps for fields of its own. */
export function isReservedKey(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : ''
  return domains.some((reserved) => domain === reserved || domain.endsWith(`.${reserved}`))
}

const mostAnnotationBytes = 256 << 10

/**
 * Labels and annotations of a user's own: those in reserved domains are checked elsewhere, or are devcloud's.
 * @throws CloudError INVALID_ARGUMENT. Sources: Google Cloud's rules for labels, and Kubernetes' for annotations, which Cloud Run has taken over.
 */
export function checkUserKeys(
  field: string,
  { labels, annotations }: { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> },
): void {
  checkLabels(`${field}.labels`, Object.fromEntries(Object.entries(labels).filter(([key]) => !key.includes('/'))))
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
    if (/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(key)) continue
    throw invalid(`${field}.annotations: "${key.slice(0, 100)}" is no qualified name.`, 'Write NAME or DOMAIN/NAME.')
  }
  if (bytes > mostAnnotationBytes) throw invalid(`${field}.annotations: must have at most ${mostAnnotationBytes} bytes.`, 'Remove some.')
}

/** @throws CloudError INVALID_ARGUMENT for a label or annotation in a domain that v2 keeps for fields of its own (Run v2, Job.labels) */
export function checkReservedKeys(field: string, map: Readonly<Record<string, string>>): void {
  const key = Object.keys(map).find(isReservedKey)
  if (key === undefined) return
  throw invalid(
    `${field}: The key "${key}" is in a namespace that version 2 of the API reserves: ${domains.join(', ')}.`,
    'Use the field of the resource instead, or version 1 of the API.',
  )
}
