import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { below, isPlainName } from '../../base/plain-name.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { withOptions } from '../../base/join-options.ts'
import type { Log } from '../../base/log.ts'
import type { Container, ContainerEnd, ContainerSpec, Engine } from '../engine.ts'
import { buildFolder, findFolderImage, folderDigest, isInstalled, readFolderImage, removeFolderImages } from './build.ts'
import { makeMounts } from './mounts.ts'
import { identify } from './proc.ts'
import { ProcessContainer } from './process-container.ts'
import { readRecords, toRecord, writeRecord } from './record.ts'
import { rewritePaths } from './rewrite-paths.ts'

/** How often the engine looks for applications that have ended, in ms. */
const watchMs = 200

/** The engine without containers: applications are child processes that outlive the daemon. See README.md for what it cannot do. */
export async function openProcessEngine(options: { readonly stateDirectory: string; readonly log: Log }): Promise<Engine> {
  const root = join(options.stateDirectory, 'process')
  const containersDirectory = join(root, 'containers')
  const imagesDirectory = join(root, 'images')
  mkdirSync(containersDirectory, { recursive: true, mode: 0o700 })
  const memoryRoot = memoryFolder(options.stateDirectory)
  const known = new Map(readRecords(containersDirectory).map((record) => [record.id, new ProcessContainer(record)]))

  const forget = (container: ProcessContainer): ProcessContainer => {
    const { remove } = container
    container.remove = async () => {
      known.delete(container.id)
      await remove.call(container)
      const used = new Set([...known.values()].flatMap(({ record }) => record.sharedDirectories ?? []))
      for (const path of container.record.sharedDirectories ?? []) if (!used.has(path)) rmSync(path, { recursive: true, force: true })
    }
    return container
  }
  for (const container of known.values()) forget(container)

  return {
    kind: 'process',
    describe: () => Promise.resolve(`processes of this machine, Node ${process.versions.node}`),
    openProject: () => Promise.resolve(),
    async removeProject(project) {
      await Promise.all([...known.values()].filter((container) => container.project === project).map((container) => container.remove()))
      if (isPlainName(project)) rmSync(below(join(root, 'volumes'), project), { recursive: true, force: true })
      removeFolderImages(project, imagesDirectory)
    },
    build: (source, onLine, signal) => buildFolder(source, imagesDirectory, onLine, signal),
    sourceDigest: async ({ project, directory, command = [] }) =>
      isInstalled(directory) ? folderDigest({ project, directory, command }) : undefined,
    hasImage: async (image) => findFolderImage(image, imagesDirectory) !== undefined,
    async start(spec) {
      const id = `${spec.name}-${crypto.randomUUID().slice(0, 8)}`
      const directory = join(containersDirectory, id)
      mkdirSync(directory, { mode: 0o700 })
      const container = forget(await launch(spec, id, directory, memoryRoot, below(join(root, 'volumes'), spec.project), imagesDirectory))
      known.set(id, container)
      return container
    },
    list: () => Promise.resolve([...known.values()] satisfies Container[]),
    events(onEnd, signal) {
      const running = new Set<string>()
      const timer = setInterval(() => {
        for (const container of known.values()) {
          if (container.state !== 'exited') running.add(container.id)
          else if (running.delete(container.id)) onEnd(toEnd(container))
        }
      }, watchMs)
      timer.unref()
      signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function launch(
  spec: ContainerSpec,
  id: string,
  directory: string,
  memoryRoot: string,
  volumes: string,
  imagesDirectory: string,
): Promise<ProcessContainer> {
  const image = readFolderImage(spec.image, imagesDirectory)
  const memoryDirectory = mkdtempSync(join(memoryRoot, 'c-'))
  const paths = makeMounts(spec.mounts, memoryDirectory, join(memoryRoot, 'shared'), volumes)
  const pathOf = (target: string) => paths.find((found) => found.target === target)?.path ?? ''
  const port = spec.port === undefined ? undefined : await freePort()
  const given = rewritePaths(withOptions(spec.env, spec.options), paths)
  const env: Record<string, string> = { ...baseEnv(), ...given, ...(port !== undefined && { PORT: String(port) }) }
  const command = [...(spec.command ?? image.command), ...(spec.args ?? [])]
  const cwd = image.directory
  if (!existsSync(cwd))
    throw new CloudError('FAILED_PRECONDITION', `The folder ${cwd} is gone.`, 'Run devcloud up in its new place.', {
      fault: 'IMAGE_UNKNOWN',
    })
  const shimSpec = { name: spec.name, command, cwd, env, logPath: join(directory, 'log'), exitPath: join(directory, 'exit') }
  const shim = spawn(process.execPath, ['--max-old-space-size=32', fileURLToPath(import.meta.resolve('./shim.mjs'))], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: baseEnv()['PATH'] },
  })
  shim.stdin.on('error', () => {}).end(JSON.stringify(shimSpec)) // by a pipe: it holds secrets
  const leader = shim.pid === undefined ? undefined : identify(shim.pid)
  if (leader === undefined)
    throw new CloudError('INTERNAL', `${spec.name} could not be started.`, 'devcloud doctor', { fault: 'APP_CRASHED' })
  shim.unref()
  const record = toRecord(spec, {
    id,
    directory,
    cwd,
    port,
    leader,
    memoryDirectory,
    sharedDirectories: spec.mounts.flatMap((mount) => (mount.kind === 'memory' ? [pathOf(mount.target)] : [])),
    fileMounts: Object.fromEntries(
      spec.mounts.flatMap((mount) => (mount.kind === 'files' ? [[mount.target, pathOf(mount.target)] as const] : [])),
    ),
  })
  writeRecord(record)
  return new ProcessContainer(record, env)
}

/** The base environment of every application: the daemon's own Node first in PATH, and none of the daemon's secrets. */
function baseEnv(): Record<string, string> {
  const kept = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ', 'USER'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  )
  return { ...Object.fromEntries(kept), PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}` }
}

/** The folder in memory of this state directory, mode 0700. It is on disk where the host has no /dev/shm. */
function memoryFolder(stateDirectory: string): string {
  const id = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12)
  const path = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `devcloud-${process.getuid?.() ?? 0}-${id}`)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  readdirSync(path) // throws when it is another user's
  return path
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function toEnd(container: ProcessContainer): ContainerEnd {
  const { id, name, project, labels, exitCode } = container
  return { id, name, project, labels, exitCode, oomKilled: false }
}
