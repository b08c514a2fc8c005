import { unimplemented } from '../../../api/status.ts'
import type { Route } from './routes.ts'

/** Methods of the Admin API by verb, path and name. Source: google/cloud/sql/v1beta4/cloud_sql.proto and cloud_sql_connect.proto. */
const refused: readonly (readonly [verb: Route[0], path: string, method: string])[] = [
  ...[
    'acquireSsrsLease',
    'addServerCa',
    'addServerCertificate',
    'clone',
    'demote',
    'demoteMaster',
    'executeSql',
    'export',
    'failover',
    'import',
    'performDiskShrink',
    'preCheckMajorVersionUpgrade',
    'promoteReplica',
    'reencrypt',
    'releaseSsrsLease',
    'rescheduleMaintenance',
    'resetReplicaSize',
    'resetSslConfig',
    'restoreBackup',
    'rotateServerCa',
    'rotateServerCertificate',
    'startExternalSync',
    'startReplica',
    'stopReplica',
    'switchover',
    'truncateLog',
    'verifyExternalSyncSettings',
  ].map((method) => ['POST', `/instances/:instance/${method}`, `sql.instances.${method}`] as const),
  ...['getDiskShrinkConfig', 'getLatestRecoveryTime', 'listServerCas', 'listServerCertificates'].map(
    (method) => ['GET', `/instances/:instance/${method}`, `sql.instances.${method}`] as const,
  ),
  ['POST', '/instances/:instance', 'sql.connect.generateEphemeralCert'], // INSTANCE:generateEphemeralCert
  ['GET', '/instances/:instance/connectSettings', 'sql.connect.get'],
  ['POST', '/instances/:instance/createEphemeral', 'sql.sslCerts.createEphemeral'],
  ['POST', '/instances/:instance/sslCerts', 'sql.sslCerts.insert'],
  ['GET', '/instances/:instance/sslCerts/:fingerprint', 'sql.sslCerts.get'],
  ['DELETE', '/instances/:instance/sslCerts/:fingerprint', 'sql.sslCerts.delete'],
  ['POST', '/instances/:instance/backupRuns', 'sql.backupRuns.insert'],
  ['GET', '/instances/:instance/backupRuns/:id', 'sql.backupRuns.get'],
  ['DELETE', '/instances/:instance/backupRuns/:id', 'sql.backupRuns.delete'],
  ['POST', '/backups', 'sql.backups.createBackup'],
  ['GET', '/backups/:id', 'sql.backups.getBackup'],
  ['PATCH', '/backups/:id', 'sql.backups.updateBackup'],
  ['DELETE', '/backups/:id', 'sql.backups.deleteBackup'],
]

/** What is not emulated is refused by name. */
export const refusedRoutes: readonly Route[] = refused.map(([verb, path, method]) => [
  verb,
  `/projects/:project${path}`,
  () => {
    throw unimplemented(method)
  },
])
