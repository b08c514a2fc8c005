import type Docker from 'dockerode'
import { CloudError } from '../../base/cloud-error.ts'
import type { Container, ContainerStatus, ExecStreams, LogLine, MountedFile } from '../engine.ts'
import { ask, orAbsent, statusOf } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { execInContainer } from './exec-in-container.ts'
import { containerLogs } from './follow-logs.ts'
import { removeContainer } from './remove-container.ts'
import { readLabels, type ContainerLabels } from './labels.ts'
import { listeningSockets } from './listening-sockets.ts'

/** How long a killed process may take to end, in ms. */
const deathMs = 30_000

/** What a container needs of its engine. */
export interface Surroundings {
  /** Another container, as it was seen last. */
  readonly find: (id: string) => DockerContainer | undefined
  readonly replaceFiles: (path: string, files: readonly MountedFile[]) => void
  readonly afterRemoval: (labels: ContainerLabels, signal: AbortSignal) => Promise<void>
}

/** A container of Docker with the labels of this state directory. The getters give what `look` saw last. */
export class DockerContainer implements Container {
  readonly #host: DockerHost
  readonly #around: Surroundings
  readonly #docker: Docker.Container
  readonly #labels: ContainerLabels
  #seen: Docker.ContainerInspectInfo
  #isGone = false

  constructor(host: DockerHost, seen: Docker.ContainerInspectInfo, around: Surroundings) {
    this.#host = host
    this.#seen = seen
    this.#around = around
    this.#docker = host.docker.getContainer(seen.Id)
    this.#labels = readLabels(seen.Config.Labels)
  }

  get id(): string {
    return this.#seen.Id
  }
  get name(): string {
    return this.#labels.name
  }
  get project(): string {
    return this.#labels.project
  }
  get labels(): Readonly<Record<string, string>> {
    return this.#labels.labels
  }
  get serviceAccount(): string {
    return this.#labels.serviceAccount
  }

  get state(): Container['state'] {
    const { Running, Paused } = this.#seen.State
    if (this.#isGone || !Running) return 'exited'
    return Paused ? 'paused' : 'running'
  }

  get address(): Container['address'] {
    const { port } = this.#labels
    return port === undefined ? undefined : this.addressOf(port)
  }

  addressOf(port: number): Container['address'] {
    if (this.state === 'exited') return undefined
    const joined = this.#joined
    if (joined !== undefined) return this.#around.find(joined)?.addressOf(port)
    if (this.#host.reach === 'bridge') return this.ip === undefined ? undefined : { host: this.ip, port }
    const isDatabase = this.#labels.role === 'database'
    const published = isDatabase ? undefined : this.#seen.NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort
    return published === undefined ? undefined : { host: '127.0.0.1', port: Number(published) }
  }

  /** The container whose network this one shares: Docker calls that network `container:ID`. */
  get #joined(): string | undefined {
    return /^container:(.+)$/.exec(this.#seen.HostConfig.NetworkMode ?? '')?.[1]
  }

  /** The address in the project's network. */
  get ip(): string | undefined {
    return Object.values(this.#seen.NetworkSettings.Networks).find((network) => network.IPAddress !== '')?.IPAddress
  }

  /** What a later look at the same container saw. */
  see(info: Docker.ContainerInspectInfo): void {
    this.#seen = info
  }

  async inspect(signal: AbortSignal): Promise<ContainerStatus> {
    const { Pid, ExitCode, OOMKilled, Running } = (await this.look(signal)).State
    const { state } = this
    return {
      state,
      exitCode: state === 'exited' ? (Running ? 137 : ExitCode) : undefined, // removed by somebody while it ran
      oomKilled: OOMKilled,
      ...(this.#isGone && { isGone: true }),
      listening: state === 'running' ? await listeningSockets(this.#host, this.id, Pid, signal) : [],
    }
  }

  logs(
    options: { readonly follow: boolean; readonly sinceMs?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<LogLine> {
    return containerLogs(this.#host, this.id, options, signal)
  }

  /** Sends SIGTERM whatever the image's STOPSIGNAL is, as Cloud Run does, and waits to the millisecond. Docker's own stop can do neither. */
  async stop(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.look(signal)
    if (this.state === 'exited') return
    if (this.state === 'paused') await this.resume(signal) // a paused process gets SIGTERM only after SIGKILL
    await this.#kill('SIGTERM', signal)
    if (!(await this.#ends(graceMs, signal))) {
      await this.#kill('SIGKILL', signal)
      await this.#ends(deathMs, signal)
    }
    await this.look(signal)
  }

  async pause(signal: AbortSignal): Promise<void> {
    await this.#turn(this.#docker.pause(), true, signal)
  }

  async resume(signal: AbortSignal): Promise<void> {
    await this.#turn(this.#docker.unpause(), false, signal)
  }

  async exec(command: readonly string[], io: ExecStreams, signal: AbortSignal): Promise<number> {
    return await execInContainer(this.#host, this.id, command, io, signal)
  }

  async remove(signal: AbortSignal): Promise<void> {
    this.#host.removing.add(this.id)
    await removeContainer(this.#docker, signal)
    this.#isGone = true
    await this.#around.afterRemoval(this.#labels, signal)
  }

  async setCpus(cpus: number, signal: AbortSignal): Promise<boolean> {
    const NanoCpus = Math.round(Math.min(cpus, this.#host.cpus) * 1e9)
    try {
      await ask(this.#docker.update({ NanoCpus }), signal)
      return true
    } catch (error) {
      if (this.#host.product.startsWith('Podman')) return false // Podman 4.3 has no such call
      await this.look(signal)
      if (this.state === 'exited') return false
      throw error
    }
  }

  async replaceFiles(target: string, files: readonly MountedFile[]): Promise<void> {
    const mount = this.#seen.Mounts.find((found) => found.Destination === target)
    if (mount === undefined) throw new CloudError('NOT_FOUND', `${this.name} has no mount at ${target}.`, 'Deploy again.')
    this.#around.replaceFiles(mount.Source, files)
  }

  /** Asks Docker again, so that the getters give the present state. */
  async look(signal: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    const info = await orAbsent(ask(this.#docker.inspect(), signal))
    this.#isGone = info === undefined
    if (info !== undefined) this.#seen = info
    return this.#seen
  }

  async #turn(answer: Promise<unknown>, paused: boolean, signal: AbortSignal): Promise<void> {
    try {
      await ask(answer, signal)
      this.#seen = { ...this.#seen, State: { ...this.#seen.State, Paused: paused } }
    } catch (error) {
      await this.look(signal)
      if (this.state !== (paused ? 'paused' : 'running')) throw error // Docker refuses what is so already
    }
  }

  async #kill(name: 'SIGTERM' | 'SIGKILL', signal: AbortSignal): Promise<void> {
    try {
      await ask(this.#docker.kill({ signal: name }), signal)
    } catch (error) {
      const status = statusOf(error)
      if (status !== 404 && status !== 409) throw error // it ended meanwhile
    }
  }

  /** Whether the container ended within `ms`. */
  async #ends(ms: number, signal: AbortSignal): Promise<boolean> {
    const late = AbortSignal.timeout(ms)
    const over = AbortSignal.any([signal, late])
    try {
      await orAbsent(ask(this.#docker.wait({ condition: 'not-running', abortSignal: over }), over, ms + deathMs))
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (late.aborted) return false
      throw error
    }
  }
}
