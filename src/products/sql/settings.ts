import { mergePatch } from '../../api/json-values.ts'
import { unimplemented } from '../../api/status.ts'
import { invalid, stale } from './errors.ts'
import { checkFlags } from './flags.ts'
import type { Json } from './json.ts'
import { checkEdition, checkSettings } from './settings-rules.ts'
import { checkTier } from './tiers.ts'

/**
 * The settings of an instance as they are kept and answered: what the client sent, over the defaults. Pure.
 * @param version settingsVersion, which rises with each change
 * @throws CloudError INVALID_ARGUMENT for a tier, flag or policy that Cloud SQL does not have
 */
export function completeSettings(sent: Json, region: string, version: number): Json {
  checkSettings(sent)
  const tier = typeof sent['tier'] === 'string' && sent['tier'] !== '' ? sent['tier'] : 'db-f1-micro'
  checkTier(tier)
  checkEdition(tier, typeof sent['edition'] === 'string' ? sent['edition'] : '')
  const policy = sent['activationPolicy'] ?? 'ALWAYS'
  if (policy === 'ON_DEMAND') throw unimplemented('the activationPolicy ON_DEMAND of Cloud SQL')
  if (policy !== 'ALWAYS' && policy !== 'NEVER') throw invalid(`Invalid value for: activationPolicy (${JSON.stringify(policy)}).`)
  checkFlags(sent['databaseFlags'])
  const settings = mergeJson(defaults(tier, region), mergeJson({}, sent)) // inside, a null is an absence
  return {
    ...settings,
    tier,
    kind: 'sql#settings',
    dataDiskSizeGb: readInt64('dataDiskSizeGb', settings['dataDiskSizeGb']),
    storageAutoResizeLimit: readInt64('storageAutoResizeLimit', settings['storageAutoResizeLimit']),
    settingsVersion: String(version),
  }
}

/** Refuses an opinion of the past. @param sent settings of a request @throws CloudError SQL_SETTINGS_STALE */
export function checkSettingsVersion(sent: Json, current: Json): void {
  const told = sent['settingsVersion']
  if (told !== undefined && told !== null && String(told) !== current['settingsVersion']) throw stale()
}

/** Google's PATCH is a merge patch: null removes, lists are replaced whole. */
export function mergeJson(current: Json, patch: Json): Json {
  return mergePatch(current, patch) as Json
}

/** What Cloud SQL fills in. Source: recorded answers to `gcloud sql instances create`, GoogleCloudPlatform/k8s-config-connector. */
function defaults(tier: string, region: string): Json {
  return {
    activationPolicy: 'ALWAYS',
    availabilityType: 'ZONAL',
    backupConfiguration: {
      kind: 'sql#backupConfiguration',
      enabled: false,
      startTime: '12:00',
      backupRetentionSettings: { retentionUnit: 'COUNT', retainedBackups: 7 },
      transactionLogRetentionDays: 7,
      transactionalLogStorageState: 'TRANSACTIONAL_LOG_STORAGE_STATE_UNSPECIFIED',
    },
    connectorEnforcement: 'NOT_REQUIRED',
    dataDiskSizeGb: '10',
    dataDiskType: 'PD_SSD',
    deletionProtectionEnabled: false,
    edition: tier.startsWith('db-perf-optimized-') ? 'ENTERPRISE_PLUS' : 'ENTERPRISE',
    ipConfiguration: { ipv4Enabled: true, requireSsl: false, sslMode: 'ALLOW_UNENCRYPTED_AND_ENCRYPTED' },
    locationPreference: { kind: 'sql#locationPreference', zone: `${region}-a` },
    pricingPlan: 'PER_USE',
    replicationType: 'SYNCHRONOUS',
    storageAutoResize: true,
    storageAutoResizeLimit: '0',
  }
}

/** int64 is a string in Google's JSON; clients send numbers too. */
function readInt64(name: string, value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  if (!/^\d{1,18}$/.test(text)) throw invalid(`Invalid value for: settings.${name} (${JSON.stringify(value)}).`)
  return text
}
