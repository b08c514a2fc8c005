// Makes stand-ins for the base images that our examples name, where no registry answers: Debian by debootstrap, the rest on top of it. What the
// machine says of its mirrors and certificates is copied into them; nothing of that is in the repository.
// `node test/base-images.ts [NAME...]` makes those that the engine lacks and cannot pull. Needs root, Debian and a Docker Engine.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const debian = 'debian:bookworm-slim'
const apt = 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends'

/** How each image is made, in the order in which they need each other. */
const recipes: Readonly<Record<string, (work: string) => void>> = {
  [debian]: makeDebian,
  'python:3.11-slim': (work) =>
    build('python:3.11-slim', work, [
      `FROM ${debian}`,
      `RUN ${apt} python3 python3-pip python3-venv && rm -rf /var/lib/apt/lists/* \\`,
      '  && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -sf /usr/bin/python3 /usr/local/bin/python',
      'CMD ["python3"]',
    ]),
  'node:24-slim': (work) => {
    unpackPackage(`node-linux-${process.arch}@24`, join(work, 'node'))
    unpackPackage('npm@11', join(work, 'npm'))
    return build('node:24-slim', work, [
      `FROM ${debian}`,
      'COPY node/bin/node /usr/local/bin/node',
      'COPY npm /usr/local/lib/node_modules/npm',
      'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\',
      '  && npm config set --location=global cafile=/etc/ssl/certs/ca-certificates.crt && useradd --create-home --uid 1000 node',
      'CMD ["node"]',
    ])
  },
  'postgres:15': (work) => {
    writeFileSync(join(work, 'docker-entrypoint.sh'), postgresEntrypoint, { mode: 0o755 })
    return build('postgres:15', work, [
      `FROM ${debian}`,
      'RUN groupadd -r --gid 999 postgres && useradd -r -g postgres --uid 999 --home-dir=/var/lib/postgresql --shell=/bin/bash postgres \\',
      '  && mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \\',
      `  && ${apt} postgresql-15 gosu locales && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 \\`,
      '  && localedef -i en_US -c -f UTF-8 -A /usr/share/locale/locale.alias en_US.UTF-8 \\',
      '  && install -d -o postgres -g postgres -m 3777 /var/run/postgresql && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data',
      'COPY docker-entrypoint.sh /usr/local/bin/',
      'RUN mkdir /docker-entrypoint-initdb.d',
      'ENV LANG=en_US.utf8 PG_MAJOR=15 PGDATA=/var/lib/postgresql/data PATH=$PATH:/usr/lib/postgresql/15/bin',
      'VOLUME /var/lib/postgresql/data',
      'STOPSIGNAL SIGINT',
      'EXPOSE 5432',
      'ENTRYPOINT ["docker-entrypoint.sh"]',
      'CMD ["postgres"]',
    ])
  },
}

/**
 * Does what the official image is known by: user, password and database from the environment, initdb.d, and a server for the time of the
 * initialization, on the very socket that the real one has later.
 */
const postgresEntrypoint = `#!/bin/bash
set -eo pipefail
[ "\${1:0:1}" = - ] && set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
if [ -n "$POSTGRES_PASSWORD_FILE" ]; then
  export POSTGRES_PASSWORD="$(< "$POSTGRES_PASSWORD_FILE")"
  unset POSTGRES_PASSWORD_FILE
fi
export POSTGRES_USER="\${POSTGRES_USER:-postgres}"
export POSTGRES_DB="\${POSTGRES_DB:-$POSTGRES_USER}"
mkdir -p "$PGDATA" /var/run/postgresql
chmod 0700 "$PGDATA" || :
chmod 03775 /var/run/postgresql || :
if [ "$(id -u)" = 0 ]; then
  find "$PGDATA" /var/run/postgresql \\! -user postgres -exec chown postgres '{}' +
  exec gosu postgres "$BASH_SOURCE" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified." >&2
    exit 1
  fi
  eval "initdb --username='$POSTGRES_USER' --pwfile=<(printf '%s\\n' \\"\\$POSTGRES_PASSWORD\\") $POSTGRES_INITDB_ARGS"
  printf '\\nhost all all all %s\\n' "\${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  export PGPASSWORD="$POSTGRES_PASSWORD"
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "\${@:2}" -c listen_addresses= -p 5432)" -w start
  sql=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password)
  [ "$POSTGRES_DB" = postgres ] || "\${sql[@]}" --dbname postgres -c "CREATE DATABASE \\"$POSTGRES_DB\\""
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) bash "$file" ;;
      *.sql) "\${sql[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | "\${sql[@]}" --dbname "$POSTGRES_DB" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
`

/** Runs once before all tests. */
export function setup(): void {
  ensureBaseImages()
}

/** @throws Error when an image is absent, cannot be pulled and cannot be made */
export function ensureBaseImages(names: readonly string[] = Object.keys(recipes)): void {
  const wanted = names.filter((name) => !hasImage(name) && !pull(name))
  if (wanted.length === 0) return
  const needsDebian = !wanted.includes(debian) && !hasImage(debian)
  for (const name of Object.keys(recipes).filter((one) => wanted.includes(one) || (needsDebian && one === debian))) {
    const work = mkdtempSync(join(tmpdir(), 'devcloud-image-'))
    process.stderr.write(`devcloud: making a stand-in for ${name} ...\n`)
    try {
      recipes[name]?.(work)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  }
}

function makeDebian(work: string): void {
  const root = join(work, 'root')
  execFileSync('debootstrap', ['--variant=minbase', 'bookworm', root, ...mirror()], { stdio: ['ignore', 'ignore', 'inherit'] })
  const image = execFileSync(
    'sh',
    ['-c', `tar -C '${root}' --exclude='./var/cache/apt/archives/*.deb' --exclude=./var/lib/apt/lists -c . | docker import -`],
    {
      maxBuffer: 1 << 20,
    },
  )
  const files = join(work, 'context', 'files')
  for (const path of [
    '/etc/ssl/certs/ca-certificates.crt',
    '/usr/local/share/ca-certificates',
    '/etc/pip.conf',
    '/etc/apt/sources.list',
    '/etc/apt/sources.list.d',
  ]) {
    if (existsSync(path)) cpSync(path, join(files, path), { recursive: true, dereference: true })
  }
  mkdirSync(join(files, 'etc/apt/apt.conf.d'), { recursive: true })
  writeFileSync(join(files, 'etc/apt/apt.conf.d/90-small'), 'Dir::Cache::pkgcache "";\n')
  build(debian, join(work, 'context'), [`FROM ${image.toString().trim()}`, 'COPY files /', 'CMD ["bash"]'])
}

/** The mirror that this machine's own packages come from. */
function mirror(): string[] {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])]
  const text = files
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
  const found = /^\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+)/m.exec(text)?.[1]
  return found === undefined ? [] : [found]
}

function unpackPackage(name: string, target: string): void {
  mkdirSync(target, { recursive: true })
  const file = execFileSync('npm', ['pack', '--silent', name], { cwd: target }).toString().trim().split('\n').at(-1) ?? ''
  execFileSync('tar', ['-xzf', file, '--strip-components=1'], { cwd: target })
  rmSync(join(target, file))
}

function build(name: string, context: string, lines: readonly string[]): void {
  writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`)
  execFileSync('docker', ['build', '--quiet', '--tag', name, context], {
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
    stdio: 'pipe', // what it says is told when it fails
  })
}

function hasImage(name: string): boolean {
  return spawnSync('docker', ['image', 'inspect', name], { stdio: 'ignore' }).status === 0
}

function pull(name: string): boolean {
  return spawnSync('docker', ['pull', '--quiet', name], { stdio: 'ignore', timeout: 120_000 }).status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBaseImages(process.argv.length > 2 ? process.argv.slice(2) : undefined)
