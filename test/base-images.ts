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
}

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
