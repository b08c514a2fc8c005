import { checkLabels } from '../../api/labels.ts'
import { isRegion } from '../../api/regions.ts'
import { unimplemented } from '../../api/status.ts'
import { isRecord } from '../../base/is-record.ts'
import { invalid } from './errors.ts'
import type { Json } from './json.ts'

type Check = (value: unknown, field: string, sent: Json) => void

/**
 * Every field of `settings`: how it is checked; `kept` when it is stored and given back, and nothing here acts by it, which is told to who sets it.
 * Source: google/cloud/sql/v1/cloud_sql_resources.proto, message Settings, and the Admin API's reference of each field.
 */
const fields: Readonly<Record<string, { readonly check: Check; readonly kept?: (value: unknown) => boolean }>> = {
  kind: { check: text },
  settingsVersion: { check: number() },
  tier: { check: text },
  activationPolicy: { check: text },
  edition: { check: oneOf('ENTERPRISE', 'ENTERPRISE_PLUS', 'EDITION_UNSPECIFIED') },
  pricingPlan: { check: oneOf('PER_USE', 'PACKAGE', 'SQL_PRICING_PLAN_UNSPECIFIED') },
  replicationType: { check: oneOf('SYNCHRONOUS', 'ASYNCHRONOUS', 'SQL_REPLICATION_TYPE_UNSPECIFIED') },
  availabilityType: { check: oneOf('ZONAL', 'REGIONAL', 'SQL_AVAILABILITY_TYPE_UNSPECIFIED'), kept: (value) => value === 'REGIONAL' },
  dataDiskType: { check: oneOf('PD_SSD', 'PD_HDD', 'HYPERDISK_BALANCED', 'SQL_DATA_DISK_TYPE_UNSPECIFIED') },
  dataDiskSizeGb: { check: number(10, 65_536) },
  dataDiskProvisionedIops: { check: number() },
  dataDiskProvisionedThroughput: { check: number() },
  storageAutoResize: { check: boolean },
  storageAutoResizeLimit: { check: number() },
  userLabels: { check: labels },
  databaseFlags: { check: () => {}, kept: isNotEmpty },
  locationPreference: { check: location },
  ipConfiguration: { check: ipConfiguration, kept: hasNetwork },
  maintenanceWindow: { check: window, kept: isNotEmpty },
  denyMaintenancePeriods: { check: list, kept: isNotEmpty },
  backupConfiguration: { check: backup, kept: isEnabled },
  finalBackupConfig: { check: object, kept: isEnabled },
  retainBackupsOnDelete: { check: boolean, kept: isTrue },
  insightsConfig: { check: object, kept: (value) => isRecord(value) && value['queryInsightsEnabled'] === true },
  passwordValidationPolicy: { check: object, kept: (value) => isRecord(value) && value['enablePasswordPolicy'] === true },
  deletionProtectionEnabled: { check: boolean },
  connectorEnforcement: {
    check: oneOf('NOT_REQUIRED', 'REQUIRED', 'CONNECTOR_ENFORCEMENT_UNSPECIFIED'),
    kept: (value) => value === 'REQUIRED',
  },
  dataCacheConfig: { check: object, kept: (value) => isRecord(value) && value['dataCacheEnabled'] === true },
  enableGoogleMlIntegration: { check: boolean, kept: isTrue },
  enableDataplexIntegration: { check: boolean, kept: isTrue },
  advancedMachineFeatures: { check: object, kept: isNotEmpty },
  authorizedGaeApplications: { check: list, kept: isNotEmpty },
  autoUpgradeEnabled: { check: boolean, kept: isTrue },
  accessControl: { check: list },
}

/** Those that would have to do something, or are of other databases. */
const refused =
  `activeDirectoryConfig collation sqlServerAuditConfig timeZone entraidConfig databaseReplicationEnabled crashSafeReplicationEnabled
  replicationLagMaxSeconds connectionPoolConfig readPoolAutoScaleConfig acceleratedReplicaMode dataApiAccess performanceCaptureConfig`.split(
    /\s+/,
  )

/** @throws CloudError INVALID_ARGUMENT in Google's words for a field or a value that there is not, UNIMPLEMENTED by name for what is not emulated */
export function checkSettings(sent: Json): void {
  for (const [field, value] of Object.entries(sent)) {
    if (value === null || value === undefined) continue
    if (refused.includes(field) && !isNothing(value)) throw unimplemented(`settings.${field} of a Cloud SQL instance`)
    if (refused.includes(field)) continue
    const known = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (known === undefined)
      throw invalid(`Invalid JSON payload received. Unknown name "${field}" at 'settings': Cannot find field.`, 'Remove it.')
    known.check(value, `settings.${field}`, sent)
  }
}

/** Names of the settings that a request sets and that nothing here acts by. */
export function keptSettings(sent: Json): readonly string[] {
  return Object.entries(sent).flatMap(([field, value]) =>
    Object.hasOwn(fields, field) && fields[field]?.kept?.(value) === true ? [`settings.${field}`] : [],
  )
}

/**
 * What Google would say of a tier in an edition. Source: Cloud SQL, "Introduction to Cloud SQL editions".
 * @param edition as it was sent; empty lets both pass
 */
export function checkEdition(tier: string, edition: string): void {
  const isOptimized = tier.startsWith('db-perf-optimized-') || tier.startsWith('db-c4a-')
  if (edition === 'ENTERPRISE_PLUS' && !isOptimized)
    throw invalid(`Invalid Tier (${tier}) for (ENTERPRISE_PLUS) Edition. Use a predefined Tier like db-perf-optimized-N-* instead.`)
  if (edition === 'ENTERPRISE' && isOptimized)
    throw invalid(`Invalid Tier (${tier}) for (ENTERPRISE) Edition. Use a predefined Tier like db-custom-1-3840 instead.`)
}

function text(value: unknown, field: string): void {
  if (typeof value !== 'string') throw wrong(field, value)
}

function boolean(value: unknown, field: string): void {
  if (typeof value !== 'boolean') throw wrong(field, value)
}

function object(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
}

function list(value: unknown, field: string): void {
  if (!Array.isArray(value)) throw wrong(field, value)
}

function oneOf(...words: readonly string[]): Check {
  return (value, field) => {
    if (typeof value !== 'string' || !words.includes(value)) throw wrong(field, value)
  }
}

/** int64, which clients send as text and as a number. */
function number(least = 0, most = Number.MAX_SAFE_INTEGER): Check {
  return (value, field) => {
    const told = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
    if (!/^\d{1,16}$/.test(told)) throw wrong(field, value)
    const given = Number(told)
    if (given < least || given > most) throw invalid(`Invalid value for: ${field} (${told}): it must be from ${least} to ${most}.`)
  }
}

function labels(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
  checkLabels(field, Object.fromEntries(Object.entries(value).filter(([, label]) => label !== null)))
}

function location(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
  for (const name of ['zone', 'secondaryZone']) if (isNotEmpty(value[name])) checkZone(value[name], `${field}.${name}`)
}

/** @throws CloudError INVALID_ARGUMENT unless it is a zone such as us-central1-a */
export function checkZone(value: unknown, field: string): void {
  const [, region = ''] = /^([a-z0-9-]+)-[a-z]$/.exec(String(value)) ?? []
  if (typeof value !== 'string' || !isRegion(region)) throw wrong(field, value)
}

function ipConfiguration(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
  const modes = ['ALLOW_UNENCRYPTED_AND_ENCRYPTED', 'ENCRYPTED_ONLY', 'TRUSTED_CLIENT_CERTIFICATE_REQUIRED', 'SSL_MODE_UNSPECIFIED']
  if (isNotEmpty(value['sslMode'])) oneOf(...modes)(value['sslMode'], `${field}.sslMode`, value)
  for (const name of ['ipv4Enabled', 'requireSsl'])
    if (value[name] !== undefined && value[name] !== null) boolean(value[name], `${field}.${name}`)
  const networks = value['authorizedNetworks'] ?? []
  if (!Array.isArray(networks)) throw wrong(`${field}.authorizedNetworks`, networks)
  for (const network of networks as readonly unknown[]) {
    const cidr = isRecord(network) ? network['value'] : undefined
    if (typeof cidr !== 'string' || !/^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?$/.test(cidr)) throw wrong(`${field}.authorizedNetworks.value`, cidr)
  }
}

function window(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
  for (const [name, least, most] of [
    ['day', 1, 7],
    ['hour', 0, 23],
  ] as const)
    if (value[name] !== undefined && value[name] !== null) number(name === 'day' ? 0 : least, most)(value[name], `${field}.${name}`, value)
}

function backup(value: unknown, field: string): void {
  if (!isRecord(value)) throw wrong(field, value)
  const { startTime, transactionLogRetentionDays: days, backupRetentionSettings: kept } = value
  if (isNotEmpty(startTime) && (typeof startTime !== 'string' || !/^([01]\d|2[0-3]):[0-5]\d$/.test(startTime)))
    throw wrong(`${field}.startTime`, startTime)
  if (isNotEmpty(days)) number(1, 35)(days, `${field}.transactionLogRetentionDays`, value)
  if (isRecord(kept) && isNotEmpty(kept['retainedBackups'])) number(1, 365)(kept['retainedBackups'], `${field}.retainedBackups`, value)
}

function isNotEmpty(value: unknown): boolean {
  return !isNothing(value)
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0 || value === '0') return true
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.values(value).every(isNothing)
}

function isTrue(value: unknown): boolean {
  return value === true
}

function isEnabled(value: unknown): boolean {
  return isRecord(value) && value['enabled'] === true
}

/** Instances here have no address: rules of who may reach one have nothing to act on. */
function hasNetwork(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { privateNetwork, authorizedNetworks, requireSsl, sslMode } = value
  return (
    isNotEmpty(privateNetwork) ||
    isNotEmpty(authorizedNetworks) ||
    requireSsl === true ||
    (isNotEmpty(sslMode) && sslMode !== 'ALLOW_UNENCRYPTED_AND_ENCRYPTED')
  )
}

function wrong(field: string, value: unknown) {
  return invalid(`Invalid value for: ${field} (${JSON.stringify(value)?.slice(0, 200)}).`)
}
