import { create } from '@bufbuild/protobuf'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import {
  ReplicationStatusSchema,
  ReplicationStatus_AutomaticStatusSchema,
  type Secret,
} from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'

/** Largest payload of a version. Source: Secret Manager quotas, 64 KiB. */
export const payloadLimitBytes = 65_536

export interface SecretName {
  /** As the client wrote it: id or number. */
  readonly project: string
  readonly secret: string
}

/** @throws CloudError INVALID_ARGUMENT for another form; regional names are not emulated and say so */
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

/** The rules for what a client may write. @throws CloudError INVALID_ARGUMENT */
export function checkSecret(id: string, secret: Secret): void {
  if (!/^[\w-]{1,255}$/.test(id)) {
    throw invalid(`Secret id "${id}" must match the expression [a-zA-Z_0-9-]{1,255}.`)
  }
  if (secret.replication?.replication.case === undefined) {
    throw invalid('secret.replication must set exactly one of automatic and userManaged.')
  }
  if (secret.replication.replication.case === 'userManaged' && secret.replication.replication.value.replicas.length === 0) {
    throw invalid('secret.replication.userManaged needs at least one replica.')
  }
  checkAliases(secret)
  checkRotation(secret)
}

/** At most 50 aliases, each a letter and then up to 62 word characters, none of them `latest` or `NEW`. */
export function checkAliases(secret: Secret): void {
  const aliases = Object.keys(secret.versionAliases)
  const bad = aliases.find((alias) => !/^[a-zA-Z][\w-]{0,62}$/.test(alias) || alias === 'latest' || alias === 'NEW')
  if (bad !== undefined) throw invalid(`"${bad}" cannot be an alias of a version.`)
  if (aliases.length > 50) throw invalid('A secret may have at most 50 version aliases.')
}

/** `rotation` needs topics, a next time, and a period of an hour or more. */
export function checkRotation(secret: Secret): void {
  if (secret.rotation === undefined) return
  if (secret.topics.length === 0) throw invalid('secret.rotation needs secret.topics.')
  const period = secret.rotation.rotationPeriod
  if (period !== undefined && period.seconds < 3600n) throw invalid('secret.rotation.rotationPeriod must be at least 3600s.')
}

/** True when the secret's time is over: it then counts as deleted. */
export function isExpired(secret: Secret, nowMs: number): boolean {
  return secret.expiration.case === 'expireTime' && timestampMs(secret.expiration.value) <= nowMs
}

/** Where a version's bytes are, as far as a client sees. */
export function automaticStatus() {
  return create(ReplicationStatusSchema, {
    replicationStatus: { case: 'automatic', value: create(ReplicationStatus_AutomaticStatusSchema) },
  })
}

export function newEtag(): string {
  return `"${crypto.randomUUID().replaceAll('-', '').slice(0, 14)}"`
}

/** @param sent empty when the client has no opinion */
export function checkEtag(sent: string, current: string): void {
  if (sent === '' || sent === current) return
  throw new CloudError(
    'FAILED_PRECONDITION',
    `The etag provided (${sent}) does not match the current one (${current}).`,
    'Read it again, then retry.',
  )
}

export function invalid(message: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, 'Correct the request.')
}

function malformed(name: string, pattern: string): CloudError {
  return name.includes('/locations/')
    ? new CloudError('UNIMPLEMENTED', `Regional secrets are not emulated: ${name}.`, 'Use a global secret.')
    : invalid(`"${name}" does not match the pattern "${pattern}".`)
}
