import { spawn } from 'node:child_process'
import { createReadStream, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../../base/cloud-error.ts'
import type { Container, ContainerStatus, ExecStreams, LogLine, MountedFile } from '../engine.ts'
import { replaceFiles } from '../mounted-files.ts'
import { fileModes } from './mounts.ts'
import { groupMembers, isAlive, listeningSockets } from './proc.ts'
import type { ContainerRecord } from './record.ts'

/** An application under the process engine: a process group whose leader is the shim. */
export class ProcessContainer implements Container {
  readonly record: ContainerRecord
  /** The application's environment, for `exec`. An adopted container reads the environment from its process. */
  readonly #env: Readonly<Record<string, string>> | undefined
  #paused = false

  constructor(record: ContainerRecord, env?: Readonly<Record<string, string>>) {
    this.record = record
    this.#env = env
  }

  get id(): string {
    return this.record.id
  }
  get name(): string {
    return this.record.name
  }
  get project(): string {
    return this.record.project
  }
  get labels(): Readonly<Record<string, string>> {
    return this.record.labels
  }
  get serviceAccount(): string {
    return this.record.serviceAccount
  }
  get ip(): undefined {
    return undefined
  }

  get address(): Container['address'] {
    return this.record.port === undefined || this.state === 'exited' ? undefined : { host: '127.0.0.1', port: this.record.port }
  }

  /** The address of `port`. Every process listens on this host's loopback, at the port that it chose. */
  addressOf(port: number): Container['address'] {
    return this.state === 'exited' ? undefined : { host: '127.0.0.1', port }
  }

  get state(): Container['state'] {
    if (!isAlive(this.record.leader) || existsSync(this.#exitPath)) return 'exited'
    return this.#paused ? 'paused' : 'running'
  }

  inspect(): Promise<ContainerStatus> {
    const { state } = this
    const exitCode = state === 'exited' ? this.exitCode : undefined
    return Promise.resolve({
      state,
      exitCode,
      oomKilled: false,
      listening: state === 'exited' ? [] : listeningSockets(groupMembers(this.record.leader.pid)),
    })
  }

  /** The exit code that the shim wrote; 137 when the shim itself was killed. */
  get exitCode(): number {
    return existsSync(this.#exitPath) ? Number(readFileSync(this.#exitPath, 'utf8')) : 137
  }

  async *logs(
    options: { readonly follow: boolean; readonly sinceMs?: number; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncIterable<LogLine> {
    const path = join(this.record.directory, 'log')
    const { sinceMs = 0 } = options
    const last: LogLine[] = []
    let at = 0
    let isFirst = true
    for (;;) {
      const ended = this.state === 'exited'
      const size = existsSync(path) ? statSync(path).size : 0
      if (size > at) {
        for await (const { line, end } of completeLines(path, at, size)) {
          at = end
          if (line.timeMs < sinceMs) continue
          if (!isFirst || options.tail === undefined) yield line
          else if (last.push(line) > options.tail) last.shift()
        }
      }
      if (isFirst) yield* last
      isFirst = false
      if (!options.follow || ended || signal.aborted) return
      await sleep(50, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
    }
  }

  async stop(graceMs: number): Promise<void> {
    if (this.state === 'exited') return
    await this.resume() // a stopped process would get SIGTERM only after SIGKILL
    this.#signal('SIGTERM')
    const deadline = performance.now() + graceMs
    while (!this.#isOver() && performance.now() < deadline) await sleep(20)
    this.#signal('SIGKILL')
    while (groupMembers(this.record.leader.pid).length > 0 && isAlive(this.record.leader)) await sleep(5)
  }

  pause(): Promise<void> {
    this.#signalApplication('SIGSTOP')
    this.#paused = true
    return Promise.resolve()
  }

  resume(): Promise<void> {
    this.#signalApplication('SIGCONT')
    this.#paused = false
    return Promise.resolve()
  }

  /** False: the process engine sets no limit of CPUs. */
  setCpus(): Promise<boolean> {
    return Promise.resolve(false)
  }

  async replaceFiles(target: string, files: readonly MountedFile[]): Promise<void> {
    const path = this.record.fileMounts?.[target]
    if (path === undefined) throw new CloudError('NOT_FOUND', `${this.name} has no mount at ${target}.`, 'Deploy again.')
    if (existsSync(path)) replaceFiles(path, this.record.memoryDirectory, files, fileModes)
  }

  exec(command: readonly string[], io: ExecStreams, signal: AbortSignal): Promise<number> {
    const [file = '', ...args] = command
    const env = { ...(this.#env ?? this.#readEnv()), ...io.env }
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        cwd: this.record.cwd,
        env,
        signal,
        stdio: 'pipe',
      })
      if (io.stdin === undefined) child.stdin.end()
      else io.stdin.pipe(child.stdin)
      child.stdout.on('data', (data) => io.stdout.write(data))
      child.stderr.on('data', (data) => io.stderr.write(data))
      child.once('error', (error) =>
        reject(new CloudError('NOT_FOUND', `"${file}" cannot be run: ${error.message}.`, 'Check the command.', { cause: error })),
      )
      child.once('close', (code) => resolve(code ?? 137))
    })
  }

  async remove(): Promise<void> {
    if (this.state !== 'exited') await this.stop(0)
    this.#signal('SIGKILL') // what the application left in its group
    rmSync(this.record.memoryDirectory, { recursive: true, force: true })
    rmSync(this.record.directory, { recursive: true, force: true })
  }

  #isOver(): boolean {
    return this.state === 'exited'
  }

  get #exitPath(): string {
    return join(this.record.directory, 'exit')
  }

  /** Signals the whole group, if the group is still this application's: its leader is the process that was started, or members of its session are left. */
  #signal(name: NodeJS.Signals): void {
    const { leader } = this.record
    if (!isAlive(leader) && process.platform !== 'linux') return
    if (!isAlive(leader) && !groupMembers(leader.pid).every((pid) => pid !== leader.pid)) return // another process has the id now
    try {
      process.kill(-leader.pid, name)
    } catch {
      // it is gone
    }
  }

  /** The members of the group without the shim: the shim must go on writing the log. */
  #signalApplication(name: NodeJS.Signals): void {
    const { leader } = this.record
    if (!isAlive(leader)) return
    for (const pid of groupMembers(leader.pid)) {
      if (pid === leader.pid) continue
      try {
        process.kill(pid, name)
      } catch {
        // it ended meanwhile
      }
    }
  }

  #readEnv(): Record<string, string> {
    const pid = groupMembers(this.record.leader.pid).find((member) => member !== this.record.leader.pid)
    if (pid === undefined || process.platform !== 'linux') return {}
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter((pair) => pair.includes('='))
    return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  }
}

/** The whole lines in a part of a log file, each with the offset of its end. */
async function* completeLines(path: string, start: number, size: number): AsyncIterable<{ readonly line: LogLine; readonly end: number }> {
  let end = start
  const lines = createInterface({ input: createReadStream(path, { start, end: size - 1, encoding: 'utf8' }) })
  for await (const text of lines) {
    end += Buffer.byteLength(text) + 1
    if (end > size) return // its newline is not written yet
    yield { line: JSON.parse(text) as LogLine, end }
  }
}
