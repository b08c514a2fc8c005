import { CloudError } from '../../base/cloud-error.ts'

/** A request that the instance's rules do not allow, in Google's form: `Invalid request: ...`. */
export function invalid(message: string, next = 'Correct the request.', cause?: unknown): CloudError {
  return new CloudError('INVALID_ARGUMENT', `Invalid request: ${message}`, next, cause === undefined ? {} : { cause })
}

/** The error for a missing instance. Terraform takes the instance for deleted. */
export function instanceMissing(project: string, instance: string): CloudError {
  return new CloudError(
    'NOT_FOUND',
    'The Cloud SQL instance does not exist.',
    `gcloud sql instances create ${instance} --project ${project}`,
    {
      fault: 'SQL_INSTANCE_MISSING',
      evidence: [`projects/${project}/instances/${instance}`],
    },
  )
}

/** Terraform takes every 409 without this reason for an operation in progress, and tries for 90 minutes. */
export function instanceExists(): CloudError {
  return new CloudError('ALREADY_EXISTS', 'The Cloud SQL instance already exists.', 'Choose another name, or delete it first.', {
    fault: 'SQL_INSTANCE_EXISTS',
  })
}

export function operationInProgress(): CloudError {
  const message = 'Operation failed because another operation was already in progress.'
  return new CloudError('ABORTED', message, 'Wait for the operation, then try again.', { fault: 'SQL_OPERATION_IN_PROGRESS' })
}

/** The error for an old etag or settingsVersion. */
export function stale(): CloudError {
  return new CloudError('FAILED_PRECONDITION', 'Condition does not match.', 'Read the instance again, then retry.', {
    fault: 'SQL_SETTINGS_STALE',
  })
}

export function notRunning(instance: string): CloudError {
  const message = 'Invalid request: Invalid request since instance is not running.'
  return new CloudError('FAILED_PRECONDITION', message, `gcloud sql instances patch ${instance} --activation-policy=ALWAYS`, {
    fault: 'SQL_INSTANCE_STOPPED',
  })
}

export function invalidFlag(message: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, 'gcloud sql flags list shows those that devcloud knows.', {
    fault: 'SQL_FLAG_UNKNOWN',
  })
}
