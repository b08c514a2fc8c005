import { readFileSync, realpathSync } from 'node:fs'
import type Docker from 'dockerode'
import { CloudError } from '../../base/cloud-error.ts'
import type { ContainerSpec, Mount } from '../engine.ts'
import { ask, orAbsent, statusOf, wordsOf } from './ask.ts'
import { toCreateOptions, toEnv, type Placement } from './create-options.ts'
import type { DockerHost } from './docker-host.ts'
import { jsonLines } from './json-lines.ts'
import { toLabels } from './labels.ts'
import type { MemoryFiles } from './memory-files.ts'
import { makeMemoryVolume } from './memory-volumes.ts'

/** How a container is attached to its project: what `startContainer` cannot decide itself. */
export interface Attachment {
  readonly network: string
  readonly dns?: string
  readonly address?: { readonly ip: string; readonly linkLocal: string }
}

/** Makes and starts a container. A container that does not start is removed. */
export async function startContainer(
  host: DockerHost,
  memory: MemoryFiles,
  spec: ContainerSpec,
  attachment: Attachment,
  signal: AbortSignal,
): Promise<Docker.ContainerInspectInfo> {
  const files = spec.mounts.filter((mount) => mount.kind === 'files')
  const written = files.length === 0 ? undefined : memory.write(files)
  try {
    const mounts = await toMounts(host, spec, written?.paths ?? [], signal)
    const placement: Placement = {
      ...attachment,
      dockerName: `devcloud-${host.state}-${spec.name}`,
      state: host.state,
      publish: host.reach === 'published' && spec.role !== 'database',
      hostCpus: host.cpus,
      mounts,
      files: written?.name,
      openFiles: openFilesLimit(),
      joins: spec.joins?.id,
      memoryVolumes: spec.mounts.flatMap((mount) => (mount.kind === 'memory' ? [volumeName(host, spec.project, mount.volume)] : [])),
    }
    return await startWhatCanBe(host, spec, toCreateOptions(spec, placement), signal)
  } catch (error) {
    if (written !== undefined) memory.remove(written.name)
    throw error
  }
}

/**
 * Starts a container in spite of two faults. A user that the image does not know becomes user 0, as on Cloud Run (run trap 53). An engine that has fewer
 * open files than the container asks for gives the number that it has.
 */
async function startWhatCanBe(
  host: DockerHost,
  spec: ContainerSpec,
  options: Docker.ContainerCreateOptions,
  signal: AbortSignal,
): Promise<Docker.ContainerInspectInfo> {
  try {
    return await createAndStart(host, spec, options, signal)
  } catch (error) {
    const words = [wordsOf(error), ...(error instanceof CloudError ? error.evidence : [])].join(' ')
    // `unable to find user nobody2: no matching entries in passwd file`
    if (/unable to find (?:user|group)/.test(words) && options.User === undefined)
      return await startWhatCanBe(host, spec, { ...options, User: '0:0' }, signal)
    // `error setting rlimit type 7: operation not permitted`
    if (/rlimit/.test(words) && options.HostConfig?.Ulimits !== undefined) {
      const { Ulimits: _tooMany, ...HostConfig } = options.HostConfig
      return await startWhatCanBe(host, spec, { ...options, HostConfig }, signal)
    }
    throw error
  }
}

/** Cloud Run's limit of open files, or this host's when that is lower: the line `Max open files  SOFT  HARD  files`. */
function openFilesLimit(): number {
  const most = 25_000
  try {
    const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    return hard > 0 ? Math.min(most, hard) : most
  } catch {
    return most
  }
}

async function createAndStart(
  host: DockerHost,
  spec: ContainerSpec,
  options: Docker.ContainerCreateOptions,
  signal: AbortSignal,
): Promise<Docker.ContainerInspectInfo> {
  const container = await createOrPull(host, spec, options, signal)
  try {
    signal.throwIfAborted()
    await ask(container.start(), signal)
    return await ask(container.inspect(), signal)
  } catch (error) {
    host.removing.add(container.id)
    await container.remove({ force: true, v: true }).catch(() => {})
    if (statusOf(error) !== 400 && !/OCI runtime|executable file not found/i.test(wordsOf(error))) throw error
    const next = "Check the image's ENTRYPOINT and CMD, or the service's command."
    throw new CloudError('FAILED_PRECONDITION', `The container could not be started: ${lastWords(wordsOf(error))}`, next, {
      cause: error,
      fault: 'APP_CRASHED',
      evidence: [wordsOf(error)],
    })
  }
}

async function createOrPull(
  host: DockerHost,
  spec: ContainerSpec,
  options: Docker.ContainerCreateOptions,
  signal: AbortSignal,
): Promise<Docker.Container> {
  const { image } = spec
  // never interrupted: the id of a container that was made must be known
  const create = async () => {
    const Env = toEnv(spec, spec.options === undefined ? {} : await readImageEnv(host, image, signal))
    return await ask(host.docker.createContainer({ ...options, Env }), AbortSignal.timeout(60_000))
  }
  try {
    return await create()
  } catch (error) {
    if (!(statusOf(error) === 404 && /no such image|image not known/i.test(wordsOf(error)))) throw error
    const why = image.startsWith('sha256:') ? 'it was built here and is gone' : await pull(host, image, signal)
    if (why !== undefined) throw unknownImage(image, why, error)
  }
  return await create()
}

/** The image's variables. Empty while the image is not on this machine. */
async function readImageEnv(host: DockerHost, image: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const info = await orAbsent(ask(host.docker.getImage(image).inspect(), signal))
  const lines = info?.Config.Env ?? [] // `NAME=value`
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** Pulls an image. Undefined when the image is on this machine afterwards, else the reason. */
async function pull(host: DockerHost, image: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const name = /[:@][^/]*$/.test(image) ? image : `${image}:latest` // without a tag Docker pulls all of them
    const stream = await ask(host.docker.pull(name, { abortSignal: signal }), signal)
    for await (const message of jsonLines<{ readonly error?: string }>(stream as AsyncIterable<unknown>)) {
      if (message.error !== undefined) return message.error
    }
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    return wordsOf(error)
  }
}

function unknownImage(image: string, why: string, cause: unknown): CloudError {
  const next = image.startsWith('sha256:') ? 'Deploy it again, which builds it.' : `docker pull ${image}`
  return new CloudError('NOT_FOUND', `Image '${image}' not found.`, next, { cause, fault: 'IMAGE_UNKNOWN', evidence: [why] })
}

async function toMounts(
  host: DockerHost,
  spec: ContainerSpec,
  filePaths: readonly string[],
  signal: AbortSignal,
): Promise<Docker.MountSettings[]> {
  const paths = [...filePaths]
  return await Promise.all(
    spec.mounts.map(async (mount): Promise<Docker.MountSettings> => {
      if (mount.kind === 'files') return { Type: 'bind', Source: paths.shift() ?? '', Target: mount.target, ReadOnly: true }
      if (mount.kind === 'bind') return toBind(host, mount)
      const Source = volumeName(host, spec.project, mount.volume)
      if (mount.kind === 'memory') await makeMemoryVolume(host, spec.project, Source, mount.sizeBytes, signal)
      else if ((await orAbsent(ask(host.docker.getVolume(Source).inspect(), signal))) === undefined) {
        const Labels = toLabels({ state: host.state, project: spec.project, role: 'volume' })
        await ask(host.docker.createVolume({ Name: Source, Labels }), signal)
      }
      return { Type: 'volume', Source, Target: mount.target }
    }),
  )
}

function volumeName(host: DockerHost, project: string, volume: string): string {
  return `devcloud-${host.state}-${project}-${volume}`
}

/** Refuses a mount that contains Docker's socket: a container with the socket is root of this host. */
function toBind(host: DockerHost, mount: Extract<Mount, { kind: 'bind' }>): Docker.MountSettings {
  const real = realPath(mount.source)
  if (host.socketPath !== undefined && `${realPath(host.socketPath)}/`.startsWith(`${real === '/' ? '' : real}/`)) {
    throw new CloudError('PERMISSION_DENIED', `The mount of ${mount.source} would hand out Docker's socket.`, 'Mount a folder without it.')
  }
  return { Type: 'bind', Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly ?? false }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** The useful part of `OCI runtime create failed: ...: exec: "foo": executable file not found in $PATH: unknown`. */
function lastWords(text: string): string {
  return (/exec: .*|[^:]+: [^:]+$/.exec(text)?.[0] ?? text).replace(/: unknown$/, '').trim()
}
