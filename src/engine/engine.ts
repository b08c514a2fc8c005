/**
 * The seam between devcloud and what runs a container. `docker/` and `process/` implement this interface, and both pass the suite in
 * test/engine/conformance.ts. An engine knows no Google product.
 */
export interface Engine extends AsyncDisposable {
  readonly kind: 'docker' | 'process'
  /** The engine's name, version and address, for people: `Docker 28.2.2 at /var/run/docker.sock`. */
  describe(): Promise<string>
  /** Makes what the containers of `project` share: the network, and in it the way to Google's names. Idempotent. */
  openProject(project: string, signal: AbortSignal): Promise<void>
  /** Removes what `openProject` made, and every container and volume of the project. */
  removeProject(project: string, signal: AbortSignal): Promise<void>
  /** Builds an image. Output goes to `onLine`, line by line. Gives the reference to start. @throws CloudError BUILD_FAILED */
  build(source: BuildSource, onLine: (line: string) => void, signal: AbortSignal): Promise<BuiltImage>
  /** A digest of all that `build` reads: the same digest means the same image. Undefined where only a build can tell. Cheap beside a build. */
  sourceDigest(source: BuildSource, signal: AbortSignal): Promise<string | undefined>
  /** Whether `start` finds an image that `build` answered. */
  hasImage(image: string, signal: AbortSignal): Promise<boolean>
  /** Starts a container. Resolves when the container runs, which may be before it listens: the product waits for the port. */
  start(spec: ContainerSpec, signal: AbortSignal): Promise<Container>
  /** Every container with the labels of this state directory, running or not. A new daemon adopts these containers. */
  list(signal: AbortSignal): Promise<readonly Container[]>
  /**
   * Calls `onEnd` for each container that ends by itself, until `signal` ends. Goes on when the engine stops and comes back.
   * @param onImageGone called with an image, as `build` gives it, that somebody removed
   */
  events(onEnd: (end: ContainerEnd) => void, signal: AbortSignal, onImageGone?: (image: string) => void): void
}

export interface BuildSource {
  readonly project: string
  /** The service's id. It becomes part of the image's name. */
  readonly name: string
  /** Absolute path of the folder to build. */
  readonly directory: string
  /** Path of the Dockerfile within `directory`. Absent with the process engine, which runs the folder itself. */
  readonly dockerfile?: string
  /** The command that the process engine runs, as words: `['npm', 'start']`, or `['sh', '-c', 'line of the Procfile']`. */
  readonly command?: readonly string[]
}

export interface BuiltImage {
  /** The reference for `ContainerSpec.image`, with a digest. */
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
  /** Variables that hold options. Each is joined to the variable of that name in `env`, or else in the image (`joinOptions`). */
  readonly options?: Readonly<Record<string, string>>
  readonly cpus?: number
  readonly memoryBytes?: number
  readonly mounts: readonly Mount[]
  /** The product's labels of the container: service, revision, hash of the configuration. `list` gives them back. */
  readonly labels: Readonly<Record<string, string>>
  /** The port on which the container will take requests. The process engine picks a free port and passes it as PORT. */
  readonly port?: number
  /** Further ports that this host connects to: ports of probes, and of the containers that join this one. */
  readonly ports?: readonly number[]
  /**
   * A running container whose network the new container shares: 127.0.0.1, names, and the address in the project's network. For the containers of
   * one instance.
   */
  readonly joins?: Container
  /** Names that resolve to 127.0.0.1 in this container and in those that join it. Absent together with `joins`. */
  readonly localNames?: readonly string[]
  /** The email of the service account whose tokens the metadata server gives to the container. */
  readonly serviceAccount: string
  /** An `instance` (the default) reaches Google's names and has few capabilities. A `database` is on an internal network without a way out. */
  readonly role?: 'instance' | 'database'
}

export type Mount =
  /** A folder of the host, mounted at `target`. */
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly?: boolean }
  /** A named volume that outlives the container. */
  | { readonly kind: 'volume'; readonly volume: string; readonly target: string }
  /**
   * A folder in memory, of at most `sizeBytes`, that every user may write. Containers that name the same `volume` share the folder. The folder is
   * removed with the last of these containers. Its bytes count as memory of the container that wrote them.
   */
  | { readonly kind: 'memory'; readonly volume: string; readonly target: string; readonly sizeBytes: number }
  /** Files in memory, read only. Their contents never reach a disk or a label. `path` is relative to `target`. */
  | {
      readonly kind: 'files'
      readonly target: string
      readonly files: readonly MountedFile[]
    }

/** A file of a mount. `path` is relative to the mount's target; `mode` has the nine permission bits. */
export interface MountedFile {
  readonly path: string
  readonly data: Uint8Array
  readonly mode: number
}

export interface Container {
  /** The engine's own id, not shortened. */
  readonly id: string
  readonly name: string
  readonly project: string
  readonly labels: Readonly<Record<string, string>>
  /** The labels of its spec. */
  readonly serviceAccount: string
  readonly state: 'running' | 'paused' | 'exited'
  /** The address in the project's network. Undefined for a process, for a container that joined another, and while the container does not run. */
  readonly ip: string | undefined
  /** The address at which the router reaches `port`. Undefined while the container does not run, or has no port. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  /** The address at which this host reaches `port`, one of the ports of the spec. Undefined while the container does not run. */
  addressOf(port: number): { readonly host: string; readonly port: number } | undefined
  /** The status of the container now. */
  inspect(signal: AbortSignal): Promise<ContainerStatus>
  /** The output from `sinceMs` (wall time in ms) on, and further output with `follow`. A line longer than 256 KiB comes in pieces. */
  logs(
    options: { readonly follow: boolean; readonly sinceMs?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<LogLine>
  /** Resumes a paused container, sends SIGTERM, waits for up to `graceMs`, and sends SIGKILL. Idempotent. */
  stop(graceMs: number, signal: AbortSignal): Promise<void>
  pause(signal: AbortSignal): Promise<void>
  resume(signal: AbortSignal): Promise<void>
  /** Changes the CPUs of a running container, at most to those of the host. False when the engine has no such limit. */
  setCpus(cpus: number, signal: AbortSignal): Promise<boolean>
  /**
   * Replaces the files of the mount of the kind `files` at `target`: each file in one step, and files that are not named are removed. A reader sees the
   * old bytes or the new bytes.
   */
  replaceFiles(target: string, files: readonly MountedFile[]): Promise<void>
  /** Runs a command inside the container. Resolves with the exit code when the command ends. */
  exec(command: readonly string[], io: ExecStreams, signal: AbortSignal): Promise<number>
  /** Kills the container if it runs, and removes it. Named volumes stay. */
  remove(signal: AbortSignal): Promise<void>
}

export interface ContainerStatus {
  readonly state: Container['state']
  readonly exitCode: number | undefined
  readonly oomKilled: boolean
  /** True when somebody removed the container: nothing is known of its end. */
  readonly isGone?: boolean
  /** The listening sockets inside, read from the container's own socket table: `127.0.0.1:8000` and `0.0.0.0:8080` differ. */
  readonly listening: readonly { readonly host: string; readonly port: number }[]
}

export interface LogLine {
  readonly timeMs: number
  readonly stream: 'stdout' | 'stderr'
  /** The text without its line end. */
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
