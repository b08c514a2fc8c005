import { createHash } from 'node:crypto'
import type { ContainerSpec } from '../engine/engine.ts'
import { trustedExtensions } from './binaries.ts'
import type { PostgresCompose } from './compose-file.ts'
import type { Home } from './home.ts'
import type { ContainerPlace } from './place.ts'
import { fixedSettings, initialSql, settingWords } from './settings.ts'

/** What is known of a server before it has a container. */
export interface ServerSpec {
  /** `PROJECT:REGION:INSTANCE` */
  readonly name: string
  readonly project: string
  readonly place: ContainerPlace
  /** The host's folder. */
  readonly sockets: string
  readonly compose: PostgresCompose
}

/** Own label of a server's container: the connection name of its instance. The daemon leaves such a container to `openPostgres`. */
export const databaseLabel = 'database'

const dataFolder = '/var/lib/postgresql/data'
const passwordFolder = '/run/secrets/devcloud'

/** What the container exits with when its volume does not have the data that was made, or another major version's. Sources: sysexits.h. */
export const dataExits = { gone: 66, otherMajor: 65 } as const

/**
 * Before the image's own entrypoint: what a start that was cut short left of a cluster goes, and extensions that Cloud SQL trusts its users to
 * create are marked, as in the embedded binaries.
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

/** The container of a server. Pure. The password stands in no environment and no label: it is a file in memory. */
export function toServerSpec(home: Home, { name, project, place, sockets, compose }: ServerSpec): ContainerSpec {
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
      POSTGRES_INITDB_ARGS: `${initdb} --auth=md5`.trim(), // never trust: every client of the socket would be anybody
      PGDATA: dataFolder,
      ...(!place.isInitialized && { DEVCLOUD_FRESH: '1' }),
    },
    ...(compose.memoryBytes !== undefined && { memoryBytes: compose.memoryBytes }),
    mounts: [
      { kind: 'volume', volume: place.volume, target: dataFolder },
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
