import { createHash } from 'node:crypto'
import * as z from 'zod'
import { unimplemented } from '../../api/status.ts'
import { isRecord } from '../../base/is-record.ts'
import { invalid } from './errors.ts'
import { checkEtag, newEtag } from './etags.ts'
import { isRegion } from '../../api/regions.ts'
import { checkZone, keptSettings } from './settings-rules.ts'
import { checkInstanceName, connectionName, instanceLink } from './names.ts'
import type { Json } from './json.ts'
import { checkSettingsVersion, completeSettings, mergeJson } from './settings.ts'
import { checkUpgrade, checkVersion, defaultVersion, differenceOf, installedVersion, majorOf, upgradesOf } from './versions.ts'

/** The row of an instance. It never contains a password. */
export interface InstanceRow {
  /** The project's id, never the number. */
  readonly project: string
  readonly name: string
  readonly region: string
  readonly state: 'PENDING_CREATE' | 'RUNNABLE' | 'PENDING_DELETE'
  readonly createTime: string
  readonly etag: string
  /** The version that the client asked for: `POSTGRES_15`. */
  readonly databaseVersion: string
  /** The version of the running server: `18.4`. */
  readonly serverVersion: string
  readonly settings: Json
  /** Fields that are stored and given back without an effect. */
  readonly extra: Json
}

const bodySchema = z.looseObject({
  name: z.string().default(''),
  region: z.string().default(''),
  databaseVersion: z.string().default(''),
  instanceType: z.string().default(''),
  etag: z.string().default(''),
  rootPassword: z.string().optional(),
  settings: z.record(z.string(), z.unknown()).nullish(),
})

export type InstanceBody = z.infer<typeof bodySchema>

/** @throws CloudError INVALID_ARGUMENT for another shape, UNIMPLEMENTED for fields whose effect devcloud does not emulate */
export function readInstanceBody(body: unknown): InstanceBody {
  const read = bodySchema.safeParse(body ?? {})
  if (!read.success) throw invalid(`The instance is not well formed: ${read.error.issues[0]?.path.join('.') ?? ''}.`)
  const { instanceType } = read.data
  if (!['', 'SQL_INSTANCE_TYPE_UNSPECIFIED', 'CLOUD_SQL_INSTANCE'].includes(instanceType)) {
    throw unimplemented(`the instanceType ${instanceType} of Cloud SQL`)
  }
  const refused = Object.entries(read.data).find(([field, value]) => !known.has(field) && !kept.has(field) && !isEmpty(value))
  if (refused !== undefined) throw unimplemented(`the field ${refused[0]} of a Cloud SQL instance`)
  checkKept(read.data)
  return read.data
}

export function newInstance(project: string, body: InstanceBody, createTime: string): InstanceRow {
  checkInstanceName(project, body.name)
  const databaseVersion = body.databaseVersion || defaultVersion
  checkVersion(databaseVersion)
  const region = body.region || 'us-central1'
  if (!isRegion(region)) throw invalid(`Invalid value for region: ${region}.`)
  return {
    project,
    name: body.name,
    region,
    state: 'PENDING_CREATE',
    createTime,
    etag: newEtag(),
    databaseVersion,
    serverVersion: '',
    settings: completeSettings(body.settings ?? {}, region, 1),
    extra: extraOf(body),
  }
}

/**
 * The instance after PATCH (`merge`) or PUT. Pure except for the new etag.
 * @throws CloudError SQL_SETTINGS_STALE for an old etag or settingsVersion, INVALID_ARGUMENT for a field that cannot change
 */
export function changeInstance(row: InstanceRow, body: InstanceBody, merge: boolean): InstanceRow {
  checkEtag(body.etag, row.etag)
  checkSettingsVersion(body.settings ?? {}, row.settings)
  if (body.name !== '' && body.name !== row.name) throw invalid(`The name of an instance cannot be changed (${row.name} to ${body.name}).`)
  if (body.region !== '' && body.region !== row.region) {
    throw invalid(`The region of an instance cannot be changed (${row.region} to ${body.region}).`)
  }
  if (body.databaseVersion !== '') checkUpgrade(row.databaseVersion, body.databaseVersion)
  if (!merge && !isRecord(body.settings)) throw invalid('Missing parameter: settings.')
  const version = Number(row.settings['settingsVersion']) + 1
  const settings = merge ? mergeJson(row.settings, body.settings ?? {}) : (body.settings ?? {})
  return {
    ...row,
    etag: newEtag(),
    databaseVersion: body.databaseVersion || row.databaseVersion,
    settings: completeSettings(settings, row.region, version),
    extra: mergeJson(merge ? row.extra : {}, extraOf(body)),
  }
}

/**
 * The warnings of a successful request: what it asks for and does not get.
 * @param sent the request's own body, without defaults
 */
export function warningsOf(row: InstanceRow, sent: InstanceBody): readonly string[] {
  const settings = sent.settings ?? {}
  const kept = [...keptSettings(settings), ...(isEmpty(sent['diskEncryptionConfiguration']) ? [] : ['diskEncryptionConfiguration'])]
  const difference = differenceOf(row.databaseVersion, row.serverVersion)
  return [
    ...(difference === undefined ? [] : [`${difference}: devcloud has no container of that version for this project.`]),
    ...(kept.length === 0 ? [] : [`Kept and not acted upon: ${kept.join(', ')}.`]),
  ]
}

/** The warning for newer versions, whose default edition differs in Google Cloud: the same request may fail there. Source: Cloud SQL, "Introduction to Cloud SQL editions". */
export function editionWarning(row: InstanceRow, { settings }: InstanceBody): readonly string[] {
  const tier = String(row.settings['tier'])
  if (majorOf(row.databaseVersion) < 16 || !isEmpty(settings?.['edition']) || tier.startsWith('db-perf-optimized-')) return []
  const words = `In Google Cloud ${row.databaseVersion} has the edition ENTERPRISE_PLUS unless settings.edition says ENTERPRISE`
  return [`${words}; the tier ${tier} is refused there.`]
}

export function isStopped(row: InstanceRow): boolean {
  return row.settings['activationPolicy'] === 'NEVER'
}

/** The instance as Google answers it. There is no TCP, so it has no ipAddresses and no serverCaCert. */
export function toInstance(row: InstanceRow, projectNumber: string): Json {
  const zone = isRecord(row.settings['locationPreference']) ? row.settings['locationPreference']['zone'] : undefined
  const account = createHash('sha256').update(connectionName(row)).digest('hex').slice(0, 6)
  return {
    ...row.extra,
    kind: 'sql#instance',
    name: row.name,
    project: row.project,
    region: row.region,
    gceZone: zone ?? `${row.region}-a`,
    state: row.state,
    createTime: row.createTime,
    etag: row.etag,
    backendType: 'SECOND_GEN',
    instanceType: 'CLOUD_SQL_INSTANCE',
    connectionName: connectionName(row),
    databaseVersion: row.databaseVersion,
    ...(row.serverVersion !== '' && { databaseInstalledVersion: installedVersion(row.serverVersion) }),
    upgradableDatabaseVersions: upgradesOf(row.databaseVersion),
    selfLink: instanceLink(row.project, row.name),
    serviceAccountEmailAddress: `p${projectNumber}-${account}@gcp-sa-cloud-sql.iam.gserviceaccount.com`,
    sqlNetworkArchitecture: 'NEW_NETWORK_ARCHITECTURE',
    settings: row.settings,
  }
}

/** Whether instances have a field of this name, for filters. */
export function isInstanceField(name: string): boolean {
  return known.has(name) || kept.has(name)
}

/** Fields that are read, or that Google alone writes and clients send back. */
const known = new Set(
  `name region databaseVersion instanceType etag rootPassword settings kind project state createTime backendType connectionName gceZone
  databaseInstalledVersion upgradableDatabaseVersions selfLink serviceAccountEmailAddress sqlNetworkArchitecture ipAddresses serverCaCert
  currentDiskSize maxDiskSize maintenanceVersion availableMaintenanceVersions geminiConfig suspensionReason outOfDiskReport satisfiesPzs
  satisfiesPzi dnsName dnsNames primaryDnsName writeEndpoint pscServiceAttachmentLink scheduledMaintenance diskEncryptionStatus replicaNames
  includeReplicasForMajorVersionUpgrade`.split(/\s+/),
)

const kept = new Set(['diskEncryptionConfiguration', 'secondaryGceZone', 'tags'])

function checkKept(body: InstanceBody): void {
  const { diskEncryptionConfiguration: encryption, secondaryGceZone } = body
  if (!isEmpty(secondaryGceZone)) checkZone(secondaryGceZone, 'secondaryGceZone')
  if (isEmpty(encryption)) return
  const key = isRecord(encryption) ? encryption['kmsKeyName'] : undefined
  if (typeof key !== 'string' || !/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/.test(key))
    throw invalid(`Invalid value for: diskEncryptionConfiguration.kmsKeyName (${JSON.stringify(key) ?? ''}).`)
}

function extraOf(body: InstanceBody): Json {
  return Object.fromEntries(Object.entries(body).filter(([field]) => kept.has(field)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0
}
