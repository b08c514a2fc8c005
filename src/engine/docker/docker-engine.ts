import type Docker from 'dockerode'
import type { Log } from '../../base/log.ts'
import type { Container, Engine } from '../engine.ts'
import { ask, orAbsent, statusOf, wordsOf } from './ask.ts'
import { buildImage } from './build-image.ts'
import { connectDocker } from './connect.ts'
import { followEnds, type RunningContainers } from './container-events.ts'
import { DockerContainer } from './docker-container.ts'
import { stateId, type DockerHost } from './docker-host.ts'
import { ours, readLabels } from './labels.ts'
import { removeUnused, sweepMemoryVolumes } from './memory-volumes.ts'
import { openMemoryFiles } from './memory-files.ts'
import { keepProjects } from './project-losses.ts'
import { openProjects } from './projects.ts'
import { removeProject } from './remove-project.ts'
import { idOf, sourceDigest } from './source-digest.ts'
import { startContainer } from './start-container.ts'

export interface DockerEngineOptions {
  readonly stateDirectory: string
  readonly log: Log
  /** The daemon's gateway socket. A project's own socket is `PROJECT/gateway.sock` in the same folder. */
  readonly gateway: { readonly socketPath: string }
}

/** The docker engine, with one method beyond the seam. */
export interface DockerEngine extends Engine {
  readonly kind: 'docker'
  /** The container that has `ip` in the project's network: so the metadata server knows whose token is asked for. Undefined for an unknown address. */
  whoIs(
    source: { readonly project: string; readonly ip: string },
    signal: AbortSignal,
  ): Promise<{ readonly container: Container; readonly serviceAccount: string } | undefined>
}

/**
 * Containers of Docker, or of Podman through its compatible socket.
 * @throws CloudError DOCKER_UNREACHABLE within 3 s
 */
export async function openDockerEngine(options: DockerEngineOptions): Promise<DockerEngine> {
  const connected = await connectDocker()
  const host: DockerHost = { ...connected, state: stateId(options.stateDirectory), log: options.log, removing: new Set() }
  const memory = openMemoryFiles(options.stateDirectory)
  const projects = openProjects(host, options.gateway.socketPath)
  const known = new Map<string, DockerContainer>()
  const closing = new AbortController()

  const see = (info: Docker.ContainerInspectInfo): DockerContainer => {
    const before = known.get(info.Id)
    before?.see(info)
    const container =
      before ??
      new DockerContainer(host, info, {
        find: (id) => known.get(id),
        replaceFiles: (path, files) => memory.replace(path, files),
        afterRemoval: async ({ files, memoryVolumes }, signal) => {
          known.delete(info.Id)
          if (files !== undefined) memory.remove(files)
          await removeUnused(host, memoryVolumes, signal)
        },
      })
    known.set(info.Id, container)
    return container
  }
  const list = async (signal: AbortSignal): Promise<readonly DockerContainer[]> => {
    const infos = await ask(host.docker.listContainers({ all: true, filters: ours(host.state) }), signal)
    const own = infos.filter((info) => ['instance', 'database'].includes(readLabels(info.Labels).role))
    const seen = await Promise.all(own.map((info) => orAbsent(ask(host.docker.getContainer(info.Id).inspect(), signal))))
    return seen.flatMap((info) => (info === undefined ? [] : [see(info)]))
  }
  const containers = await ask(host.docker.listContainers({ all: true, filters: ours(host.state) }), AbortSignal.timeout(10_000))
  memory.sweep(new Set(containers.flatMap((info) => readLabels(info.Labels).files ?? [])))
  await sweepMemoryVolumes(host, AbortSignal.timeout(10_000))

  const mend = async (project: string, signal: AbortSignal) => {
    projects.forget(project) // the network of its databases is made when one starts
    await projects.open(project, signal)
  }
  const followed = new Set<RunningContainers>()
  const imageListeners = new Set<(image: string) => void>()
  const onImageGone = (image: string) => imageListeners.forEach((tell) => tell(image))
  keepProjects(host, { names: projects.names, mend, onImageGone }, closing.signal)

  return {
    kind: 'docker',
    describe: () => Promise.resolve(`${host.product} at ${host.endpoint}`),
    async openProject(project, signal) {
      await projects.open(project, signal)
    },
    async removeProject(project, signal) {
      await projects.close(project)
      for (const container of await list(signal)) if (container.project === project) await container.remove(signal)
      await removeProject(host, project, signal)
    },
    build: (source, onLine, signal) => buildImage(host, source, onLine, signal),
    sourceDigest: (source, signal) => sourceDigest(host, source, signal),
    hasImage: async (image, signal) => (await idOf(host, image, signal)) !== undefined,
    async start(spec, signal) {
      for (let attempt = 0; ; attempt++) {
        const attachment =
          spec.role === 'database' ? await projects.attachDatabase(spec.project, signal) : await projects.attach(spec.project, signal)
        try {
          const container = see(await startContainer(host, memory, spec, attachment, signal))
          for (const running of followed) running.set(container.id, container)
          return container
        } catch (error) {
          if (attempt === 3 || !isOfTheNetwork(error)) throw error
          projects.forget(spec.project) // somebody removed the network, or took the address
        }
      }
    },
    list,
    events(onEnd, signal, onImageGone) {
      const running: RunningContainers = new Map()
      followed.add(running)
      signal.addEventListener('abort', () => followed.delete(running), { once: true })
      followEnds(host, running, { onEnd, see: (info) => void known.get(info.Id)?.see(info) }, signal)
      if (onImageGone === undefined) return
      imageListeners.add(onImageGone)
      signal.addEventListener('abort', () => imageListeners.delete(onImageGone), { once: true })
    },
    async whoIs({ project, ip }, signal) {
      const isIt = (container: DockerContainer) => container.project === project && container.ip === ip && container.state !== 'exited'
      const likely = [...known.values()].filter(isIt)
      for (const container of likely) await container.look(signal) // its address may be another's by now
      const container = likely.find(isIt) ?? (await list(signal)).find(isIt)
      return container && { container, serviceAccount: container.serviceAccount }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('The engine is closed.'))
    },
  }
}

/** `network devcloud-... not found`, `Address already in use` */
function isOfTheNetwork(error: unknown): boolean {
  return statusOf(error) !== undefined && /network \S+ not found|address already in use/i.test(wordsOf(error))
}
