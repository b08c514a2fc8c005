import { timestampMs, type Duration } from '@bufbuild/protobuf/wkt'
import type { CustomerManagedEncryption, Secret } from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { checkLabels } from '../../api/labels.ts'
import { isRegion } from '../../api/regions.ts'
import { unimplemented } from '../../api/status.ts'
import { invalid } from './resources.ts'

const hourSeconds = 3600
const daySeconds = 24 * hourSeconds
/** Google's 100 years, in seconds. */
const centurySeconds = 3_153_600_000

/**
 * Checks a secret by Secret Manager's rules. Sources: the comments of google/cloud/secretmanager/v1/resources.proto; cloud.google.com/secret-manager,
 * "Set expiration date", "Delay destruction of secret versions", "quotas".
 * @param changed the fields (snake_case) that the request sets; in other fields a time may have passed meanwhile
 * @throws CloudError INVALID_ARGUMENT, or UNIMPLEMENTED for a field that would have an effect that devcloud does not emulate
 */
export function checkSecret(secret: Secret, nowMs: number, changed: ReadonlySet<string>): void {
  checkReplication(secret)
  checkLabels('secret.labels', secret.labels)
  checkAnnotations(secret.annotations)
  checkTopics(secret)
  checkAliases(secret)
  if (changed.has('expire_time') || changed.has('ttl')) checkExpiration(secret, nowMs)
  checkRotation(secret, nowMs, changed.has('rotation'))
  const delay = secret.versionDestroyTtl
  if (delay !== undefined) checkSpan('version_destroy_ttl', delay, daySeconds, 1000 * daySeconds)
  if (secret.secretType !== 0) throw unimplemented('the secret_type of a secret')
  if (Object.keys(secret.tags).length > 0) throw unimplemented('tags of secrets')
}

/** @throws CloudError INVALID_ARGUMENT */
export function checkSecretId(id: string): void {
  if (!/^[\w-]{1,255}$/.test(id)) throw invalid(`The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9-]{1,255}].`)
}

function checkReplication({ replication: told, customerManagedEncryption }: Secret): void {
  refuseKey(customerManagedEncryption)
  if (told?.replication.case === undefined) throw invalid('secret.replication must set exactly one of automatic and userManaged.')
  if (told.replication.case === 'automatic') return refuseKey(told.replication.value.customerManagedEncryption)
  const { replicas } = told.replication.value
  if (replicas.length === 0) throw invalid('secret.replication.userManaged needs at least one replica.')
  const locations = replicas.map(({ location }) => location)
  for (const { location, customerManagedEncryption: key } of replicas) {
    if (!isRegion(location)) throw invalid(`Location [${location}] is not a valid location for a replica of a secret.`)
    if (locations.filter((other) => other === location).length > 1)
      throw invalid(`Location [${location}] is given more than once in the replicas.`)
    refuseKey(key)
  }
}

function refuseKey(encryption: CustomerManagedEncryption | undefined): void {
  if (encryption !== undefined) throw unimplemented('customer-managed encryption of secrets (kms_key_name)')
}

function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    if (!/^[a-z0-9A-Z]([\w.-]{0,61}[a-z0-9A-Z])?$/.test(key))
      throw invalid(
        `The annotation key [${key}] must be 1 to 63 characters long, begin and end with a letter or digit, and hold only these, -, _ and dots.`,
      )
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes >= 16 << 10) throw invalid('The total size of annotation keys and values must be less than 16KiB.')
}

function checkTopics({ topics }: Secret): void {
  if (topics.length > 10) throw invalid('A secret may have at most 10 topics.')
  const names = topics.map(({ name }) => name)
  for (const name of names) {
    if (!/^projects\/[^/]+\/topics\/[A-Za-z][\w.~+%-]{2,254}$/.test(name))
      throw invalid(`Topic name [${name}] must be in the format projects/*/topics/*.`)
    if (names.filter((other) => other === name).length > 1) throw invalid(`Topic name [${name}] is given more than once.`)
  }
}

/** At most 50 aliases, each a letter and then up to 62 word characters, none of them `latest` or `NEW`. */
function checkAliases({ versionAliases }: Secret): void {
  const aliases = Object.entries(versionAliases)
  if (aliases.length > 50) throw invalid('A secret may have at most 50 version aliases.')
  for (const [alias, version] of aliases) {
    if (!/^[a-zA-Z][\w-]{0,62}$/.test(alias) || alias === 'latest' || alias === 'NEW')
      throw invalid(`"${alias}" cannot be an alias of a version.`)
    if (version < 1n) throw invalid(`The alias "${alias}" must name a version: ${version} is none.`)
  }
}

function checkExpiration({ expiration }: Secret, nowMs: number): void {
  if (expiration.case === undefined) return
  const seconds = expiration.case === 'ttl' ? Number(expiration.value.seconds) : (timestampMs(expiration.value) - nowMs) / 1000
  if (seconds >= 60 && seconds <= centurySeconds) return
  const field = expiration.case === 'ttl' ? 'ttl' : 'expire_time'
  throw invalid(`The ${field} of a secret cannot be less than 60 seconds away or more than 100 years away.`)
}

/** @param isNew whether the request sets the rotation; otherwise the next rotation time may have passed */
function checkRotation({ rotation, topics }: Secret, nowMs: number, isNew: boolean): void {
  if (rotation === undefined) return
  if (topics.length === 0) throw invalid('Topics must be set while the rotation is set.')
  const { nextRotationTime: next, rotationPeriod: period } = rotation
  if (period !== undefined && next === undefined) throw invalid('Next rotation time must be set while the rotation period is set.')
  if (period !== undefined) checkSpan('rotation.rotation_period', period, hourSeconds, centurySeconds)
  if (next === undefined || !isNew) return
  const seconds = (timestampMs(next) - nowMs) / 1000
  if (seconds < 300 || seconds > centurySeconds)
    throw invalid('Next rotation time cannot be less than 300 seconds in the future, or more than 3153600000 seconds.')
}

function checkSpan(field: string, { seconds, nanos }: Duration, least: number, most: number): void {
  const given = Number(seconds) + nanos / 1e9
  if (given < least || given > most) throw invalid(`The ${field} must be at least ${least}s and at most ${most}s, but is ${given}s.`)
  if (nanos !== 0) throw invalid(`The ${field} must be in whole seconds.`)
}
