import type { Fault } from '../../base/fault.ts'

/** The faults of Cloud Storage. */
export const faults: Readonly<Record<string, Fault>> = {
  ANONYMOUS: {
    means: 'A caller without a token asked for what is not public.',
    todo: 'Send a token, or make the objects public: grant roles/storage.objectViewer to allUsers on the bucket.',
  },
  FORBIDDEN: {
    means: 'The caller is known and may not do this in the bucket or project.',
    todo: 'Grant the caller a role that allows it, or ask as a service account of the project that owns the bucket.',
  },
  BUCKET_NOT_FOUND: {
    means: 'The bucket does not exist.',
    todo: 'Create it (`gcloud storage buckets create gs://BUCKET`), or name it under `buckets:` in devcloud.yaml.',
  },
  BUCKET_EXISTS: {
    means: 'A bucket of this name exists. Names of buckets are unique on the machine.',
    todo: 'Use it, or choose another name.',
  },
  BUCKET_NOT_EMPTY: {
    means: 'The bucket still has objects, so it was not deleted.',
    todo: 'Delete the objects first: `gcloud storage rm --recursive gs://BUCKET`.',
  },
  OBJECT_NOT_FOUND: {
    means: 'The bucket has no object of this name, or not in this generation.',
    todo: 'Check the name. Names are case-sensitive.',
  },
  UPLOAD_NOT_FOUND: {
    means: 'The resumable upload does not exist: it is finished, cancelled, too old, or its bytes are gone.',
    todo: 'Start a new resumable upload.',
  },
  BLOB_GONE: {
    means: 'The object exists, and the file with its bytes is gone from the disk or damaged.',
    todo: 'Run `devcloud daemon stop && devcloud fsck`.',
  },
  CONDITION_NOT_MET: {
    means: 'A precondition of the request (a generation, a metageneration, an etag or a policy) does not hold.',
    todo: 'Read the object, bucket or policy again, then try with the current value.',
  },
  NOT_MODIFIED: { means: 'The object is still the one that the caller has.', todo: 'Nothing: use the copy that you have.' },
  RANGE: { means: 'The range that was asked for lies behind the end of the object.', todo: 'Ask for bytes below the size of the object.' },
  SIGNATURE: {
    means: 'The signature of a signed URL is not the one of this request, or the signer has no key on this machine.',
    todo: 'Sign exactly the method, host, headers and path that are sent, as a service account of this machine: `eval "$(devcloud env)"`.',
  },
  EXPIRED_TOKEN: { means: 'The signed URL is no longer valid, or not yet.', todo: 'Sign a new URL.' },
  MALFORMED_HEADER: {
    means: 'A header that the signed URL covers is missing or malformed in the request.',
    todo: 'Send the header as it was signed.',
  },
  REQUIRED: { means: 'A parameter that the method needs is missing.', todo: 'Send the parameter that the message names.' },
  INVALID: { means: 'A value of the request is not one that Cloud Storage takes.', todo: 'Correct the value that the message names.' },
}
