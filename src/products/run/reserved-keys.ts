import { CloudError } from '../../base/cloud-error.ts'

const domains = ['run.googleapis.com', 'cloud.googleapis.com', 'serving.knative.dev', 'autoscaling.knative.dev']

/** Whether a label or annotation is of a domain that version 2 keeps for fields of its own. */
export function isReservedKey(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : ''
  return domains.some((reserved) => domain === reserved || domain.endsWith(`.${reserved}`))
}

/** @throws CloudError INVALID_ARGUMENT for a label or annotation in a domain that v2 keeps for fields of its own (Run v2, Job.labels) */
export function checkReservedKeys(field: string, map: Readonly<Record<string, string>>): void {
  const key = Object.keys(map).find(isReservedKey)
  if (key === undefined) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `${field}: The key "${key}" is in a namespace that version 2 of the API reserves: ${domains.join(', ')}.`,
    'Use the field of the resource instead, or version 1 of the API.',
  )
}
