import { CloudError } from '../../base/cloud-error.ts'

const domains = ['run.googleapis.com', 'cloud.googleapis.com', 'serving.knative.dev', 'autoscaling.knative.dev']

/** @throws CloudError INVALID_ARGUMENT for a label or annotation in a domain that v2 keeps for fields of its own (Run v2, Job.labels) */
export function checkReservedKeys(field: string, map: Readonly<Record<string, string>>): void {
  const key = Object.keys(map).find((name) => domains.includes(name.split('/')[0] ?? '') && name.includes('/'))
  if (key === undefined) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `${field}: The key "${key}" is in a namespace that version 2 of the API reserves: ${domains.join(', ')}.`,
    'Use the field of the resource instead, or version 1 of the API.',
  )
}
