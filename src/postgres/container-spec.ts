import { createHash } from 'node:crypto'
import type { ContainerSpec } from '../engine/engine.ts'
import { trustedExtensions } from './binaries.ts'
import type { PostgresCompose } from './compose-file.ts'
import type { Home } from './home.ts'
import type { VolumeRecord } from './volume-record.ts'
import { fixedSettings, initialSql, settingWords } from './settings.ts'

/** A server before it has a container. */
export interface ServerSpec {
  /** `PROJECT:REGION:INSTANCE` */
  readonly name: string
  readonly project: string
  readonly record: VolumeRecord
  /** The host's folder. */
  readonly sockets: string
  readonly compose: PostgresCompose
}

/** The label of a server's container: the connection name of its instance. The daemon leaves containers with this label to `openPostgres`. */
export const databaseLabel = 'database'

const dataFolder = '/var/lib/postgresql/data'
const passwordFolder = '/run/secrets/devcloud'

/** The exit codes of a container whose volume lacks the data, or has data of another major version. Source: sysexits.h. */
export const dataExits = { gone: 66, otherMajor: 65 } as const

/**
 * A script that runs before the image's entrypoint. It removes a cluster that an interrupted start left half made, and marks the extensions that users
 * of Cloud SQL may create as trusted, as in the embedded binaries.
 */
const prelude = `
if [ -n "$DEVCLOUD_FRESH" ]; then find "$PGDATA" -mindepth 1 -delete
elif [ ! -f "$PGDATA/PG_VERSION" ]; then exit ${dataExits.gone}
elif [ "$(cat "$PGDATA/PG_VERSION")" != "\${PG_MAJOR:-$(cat "$PGDATA/PG_VERSION")}" ]; then cat "$PGDATA/PG_VERSION"; exit ${dataExits.otherMajor}
fi
unset DEVCLOUD_FRESH
for folder in /usr/share/postgresql/*/extension /usr/local/share/postgresql/extension; do
  for name in ${trustedExtensions.join(' ')}; do
    [ ! -f "$folder/$name.control" ] || grep -q '^trusted' "$folder/$name.control" || printf '\\ntrusted = true\\n' >> "$folder/$name.control"
  done
done
exec docker-entrypoint.sh "$@"
`

/** The spec of a server's container. Pure. The password is a file in memory, never a variable or a label. */
export function toServerSpec(home: Home, { name, project, record, sockets, compose }: ServerSpec): ContainerSpec {
  const { POSTGRES_INITDB_ARGS: initdb = '', ...environment } = compose.environment
  const toBytes = (text: string) => new TextEncoder().encode(text)
  return {
    name: containerName(name),
    project,
    role: 'database',
    image: compose.image,
    command: ['/bin/sh', '-c', prelude, 'postgres'],
    args: [...compose.command, ...settingWords(fixedSettings)],
    env: {
      ...environment,
      POSTGRES_USER: 'cloudsqladmin',
      POSTGRES_DB: 'postgres',
      POSTGRES_PASSWORD_FILE: `${passwordFolder}/password`,
      POSTGRES_INITDB_ARGS: `${initdb} --auth=md5`.trim(), // with `trust` every client of the socket could be any user
      PGDATA: dataFolder,
      ...(!record.isInitialized && { DEVCLOUD_FRESH: '1' }),
    },
    ...(compose.memoryBytes !== undefined && { memoryBytes: compose.memoryBytes }),
    mounts: [
      { kind: 'volume', volume: record.volume, target: dataFolder },
      { kind: 'bind', source: sockets, target: '/var/run/postgresql' },
      { kind: 'files', target: passwordFolder, files: [{ path: 'password', data: toBytes(home.adminPassword), mode: 0o600 }] },
      { kind: 'files', target: '/docker-entrypoint-initdb.d', files: [{ path: 'postgres.sql', data: toBytes(initialSql()), mode: 0o644 }] },
    ],
    labels: { [databaseLabel]: name },
    serviceAccount: '',
  }
}

/** Unique for each instance, and readable in `docker ps`. */
function containerName(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  const slug = (name.split(':').at(-1) ?? '').replaceAll(/[^a-z0-9-]/g, '-').slice(0, 45)
  return `sql-${slug}-${hash}`
}
