/**
 * The seam between devcloud and whatever runs a container. `docker/` and `process/` stand behind it;
 * test/engine/conformance.ts is the suite that both pass. No product's name is known here.
 */
export interface Engine extends AsyncDisposable {
  readonly kind: 'docker' | 'process'
  /** Where it is and what it is, for people: `Docker 28.2.2 at /var/run/docker.sock`. */
  describe(): Promise<string>
  /** Makes what containers of `project` share: the network, and its way to Google's names. Idempotent. */
  openProject(project: string, signal: AbortSignal): Promise<void>
  /** Removes that, with every container and volume of the project. */
  removeProject(project: string, signal: AbortSignal): Promise<void>
  /** Builds an image. Output lines go to `onLine` as they come. Answers the reference to start. Throws CloudError BUILD_FAILED. */
  build(source: BuildSource, onLine: (line: string) => void, signal: AbortSignal): Promise<BuiltImage>
  /** The same text for the same folder: what changes it changes what `build` makes. Cheap beside a build. */
  sourceDigest(source: BuildSource): Promise<string>
  /** Starts a container. Resolves when it runs, not when it listens: the product waits for that. */
  start(spec: ContainerSpec, signal: AbortSignal): Promise<Container>
  /** Every container that carries our labels in this state directory, running or not: what a new daemon adopts. */
  list(signal: AbortSignal): Promise<readonly Container[]>
  /**
   * Tells of containers that end by themselves, until `signal` ends. Reopens by itself when the engine goes and returns.
   * @param onImageGone told an image, as `build` answers it, that somebody removed
   */
  events(onEnd: (end: ContainerEnd) => void, signal: AbortSignal, onImageGone?: (image: string) => void): void
}

export interface BuildSource {
  readonly project: string
  /** The service's id, which becomes part of the image's name. */
  readonly name: string
  /** Absolute path of the folder to build. */
  readonly directory: string
  /** Path of the Dockerfile within `directory`. Absent with the process engine, which runs the folder itself. */
  readonly dockerfile?: string
  /** What the process engine runs, as words: `['npm', 'start']`, or `['sh', '-c', 'line of the Procfile']`. */
  readonly command?: readonly string[]
}

export interface BuiltImage {
  /** What `ContainerSpec.image` takes, with a digest. */
  readonly image: string
  readonly steps: number
  readonly cachedSteps: number
}

export interface ContainerSpec {
  /** Unique in the state directory, at most 63 characters, [a-z0-9-]. */
  readonly name: string
  readonly project: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDirectory?: string
  readonly env: Readonly<Record<string, string>>
  /** Variables that hold options: each is joined to what `env`, or else the image, says under its name (`joinOptions`). */
  readonly options?: Readonly<Record<string, string>>
  readonly cpus?: number
  readonly memoryBytes?: number
  readonly mounts: readonly Mount[]
  /** Our own words on it, kept with the container and given back by `list`: service, revision, hash of the configuration. */
  readonly labels: Readonly<Record<string, string>>
  /** The port that it will listen on, for the way in. The process engine picks a free one and gives it as PORT. */
  readonly port?: number
  /** Further ports that this host asks: those of probes, and of the containers that join it. */
  readonly ports?: readonly number[]
  /**
   * A container that runs, whose network this one shares: 127.0.0.1, names, and the address that the project's network knows. Made for the
   * containers of one instance.
   */
  readonly joins?: Container
  /** Names that mean 127.0.0.1 in it and in those that join it. Not with `joins`, which has them from there. */
  readonly localNames?: readonly string[]
  /** Whose tokens the metadata server gives to it: a service account's email. */
  readonly serviceAccount: string
  /** `instance` (the default) gets Google's names and dropped capabilities; `database` gets an internal network and no way out. */
  readonly role?: 'instance' | 'database'
}

export type Mount =
  /** A folder of the host, seen inside at `target`. */
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly?: boolean }
  /** A named volume that outlives the container. */
  | { readonly kind: 'volume'; readonly volume: string; readonly target: string }
  /**
   * A folder in memory, of at most `sizeBytes`, that everybody may write. Containers that name the same `volume` share it; it goes with the last
   * of them. Its bytes count in the memory of the container that wrote them.
   */
  | { readonly kind: 'memory'; readonly volume: string; readonly target: string; readonly sizeBytes: number }
  /** Files held in memory, read only. Contents never reach a disk or a label. `path` is relative to `target`. */
  | {
      readonly kind: 'files'
      readonly target: string
      readonly files: readonly MountedFile[]
    }

/** `path` is relative to the mount's target; `mode` are the nine permission bits. */
export interface MountedFile {
  readonly path: string
  readonly data: Uint8Array
  readonly mode: number
}

export interface Container {
  /** The engine's own id; full, not shortened. */
  readonly id: string
  readonly name: string
  readonly project: string
  readonly labels: Readonly<Record<string, string>>
  /** Its spec's. */
  readonly serviceAccount: string
  readonly state: 'running' | 'paused' | 'exited'
  /** Its address in the project's network; undefined for a process, for one that joined another, and while it does not run. */
  readonly ip: string | undefined
  /** Where the router reaches `port`. Undefined while it does not run, or has no port. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  /** Where this host reaches `port` of it, which is one of its spec's. Undefined while it does not run. */
  addressOf(port: number): { readonly host: string; readonly port: number } | undefined
  /** What is seen of it now. */
  inspect(signal: AbortSignal): Promise<ContainerStatus>
  /** Its output from `sinceMs` (wall time) on; follows when asked. Lines longer than 256 KiB come in pieces. */
  logs(
    options: { readonly follow: boolean; readonly sinceMs?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<LogLine>
  /** Resumes if paused, then SIGTERM, `graceMs`, SIGKILL. Idempotent. */
  stop(graceMs: number, signal: AbortSignal): Promise<void>
  pause(signal: AbortSignal): Promise<void>
  resume(signal: AbortSignal): Promise<void>
  /** Gives it other CPUs while it runs, at most the host's. False where the engine cannot. */
  setCpus(cpus: number, signal: AbortSignal): Promise<boolean>
  /**
   * What its mount of the kind `files` at `target` has from now on: each file is replaced in one step, and those not named are removed. What reads
   * meanwhile sees the old bytes or the new ones.
   */
  replaceFiles(target: string, files: readonly MountedFile[]): Promise<void>
  /** Runs a command inside. Resolves with the exit code when it ends. */
  exec(command: readonly string[], io: ExecStreams, signal: AbortSignal): Promise<number>
  /** Removes it, killed first if it runs. Named volumes stay. */
  remove(signal: AbortSignal): Promise<void>
}

export interface ContainerStatus {
  readonly state: Container['state']
  readonly exitCode: number | undefined
  readonly oomKilled: boolean
  /** True when somebody removed it: nothing is known of how it ended. */
  readonly isGone?: boolean
  /** Sockets that listen inside, read from its own socket table: tells `127.0.0.1:8000` from `0.0.0.0:8080`. */
  readonly listening: readonly { readonly host: string; readonly port: number }[]
}

export interface LogLine {
  readonly timeMs: number
  readonly stream: 'stdout' | 'stderr'
  /** Without its line end. */
  readonly text: string
}

export interface ExecStreams {
  readonly stdin?: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly tty?: boolean
  readonly env?: Readonly<Record<string, string>>
}

export interface ContainerEnd {
  readonly id: string
  readonly name: string
  readonly project: string
  readonly labels: Readonly<Record<string, string>>
  readonly exitCode: number
  readonly oomKilled: boolean
}
