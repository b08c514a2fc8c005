import { CloudError } from '../../base/cloud-error.ts'

export function noInstance(id: string, code: 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE'): CloudError {
  const next = code === 'RESOURCE_EXHAUSTED' ? 'Raise maxInstances or concurrency.' : 'devcloud logs: see why instances start late.'
  return new CloudError(code, 'The request was aborted because there was no available instance.', next, {
    fault: 'NO_INSTANCE',
    evidence: [`revision ${id}`],
  })
}

export function crashed(id: string): CloudError {
  return new CloudError('UNAVAILABLE', `Instances of ${id} end soon after their start.`, 'devcloud logs', { fault: 'APP_CRASHED' })
}

export function closed(id: string): CloudError {
  return new CloudError('UNAVAILABLE', `Revision ${id} takes no more requests.`, 'Try again: the new revision does.')
}
