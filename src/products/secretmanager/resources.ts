import { create } from '@bufbuild/protobuf'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import {
  ReplicationStatusSchema,
  ReplicationStatus_AutomaticStatusSchema,
  type Secret,
} from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'

/** The largest payload of a version, in bytes. Source: Secret Manager quotas, 64 KiB. */
export const payloadLimitBytes = 65_536

export interface SecretName {
  /** The project as the client wrote it: id or number. */
  readonly project: string
  readonly secret: string
}

/** @throws CloudError INVALID_ARGUMENT for another form, UNIMPLEMENTED for a regional name */
export function readSecretName(name: string): SecretName {
  const [, project, secret] = /^projects\/([^/]+)\/secrets\/([^/]+)$/.exec(name) ?? []
  if (project !== undefined && secret !== undefined) return { project, secret }
  throw malformed(name, 'projects/*/secrets/*')
}

/** `version` is a number, `latest`, or an alias. */
export function readVersionName(name: string): SecretName & { readonly version: string } {
  const [, parent, version] = /^(projects\/[^/]+\/secrets\/[^/]+)\/versions\/([^/]+)$/.exec(name) ?? []
  if (parent !== undefined && version !== undefined) return { ...readSecretName(parent), version }
  throw malformed(name, 'projects/*/secrets/*/versions/*')
}

/** Whether a secret has expired. An expired secret counts as deleted. */
export function isExpired(secret: Secret, nowMs: number): boolean {
  return secret.expiration.case === 'expireTime' && timestampMs(secret.expiration.value) <= nowMs
}

/** The replication status that a version shows: automatic. */
export function automaticStatus() {
  return create(ReplicationStatusSchema, {
    replicationStatus: { case: 'automatic', value: create(ReplicationStatus_AutomaticStatusSchema) },
  })
}

export function invalid(message: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, 'Correct the request.')
}

function malformed(name: string, pattern: string): CloudError {
  return name.includes('/locations/')
    ? new CloudError('UNIMPLEMENTED', `Regional secrets are not emulated: ${name}.`, 'Use a global secret.')
    : invalid(`"${name}" does not match the pattern "${pattern}".`)
}
