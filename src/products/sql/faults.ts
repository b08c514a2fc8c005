import type { Fault } from '../../base/fault.ts'

/** The faults of Cloud SQL. */
export const faults: Readonly<Record<string, Fault>> = {
  SQL_INSTANCE_MISSING: {
    means: 'The Cloud SQL instance does not exist.',
    todo: 'Create it (`gcloud sql instances create INSTANCE`), or name it under `databases:` in devcloud.yaml.',
  },
  SQL_INSTANCE_EXISTS: { means: 'A Cloud SQL instance of this name exists.', todo: 'Choose another name, or delete the instance first.' },
  SQL_INSTANCE_STOPPED: {
    means: 'The Cloud SQL instance is stopped: its activationPolicy is NEVER.',
    todo: 'Start it: `gcloud sql instances patch INSTANCE --activation-policy=ALWAYS`.',
  },
  SQL_OPERATION_IN_PROGRESS: {
    means: 'Another operation of the Cloud SQL instance is under way.',
    todo: 'Wait until it is done, then try again: `gcloud sql operations list --instance=INSTANCE`.',
  },
  SQL_SETTINGS_STALE: {
    means: 'The request carries an etag or a settingsVersion that is no longer the current one.',
    todo: 'Read the instance again, then send the change with the new value.',
  },
  SQL_FLAG_UNKNOWN: {
    means: 'Cloud SQL has no database flag of this name, or the flag does not take this value.',
    todo: 'Choose one that `gcloud sql flags list` shows.',
  },
}
