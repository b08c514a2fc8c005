import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { stateId } from '../../src/engine/docker/docker-host.ts'

/** Processes of this machine whose command line, environment or folder names one of `paths`, each with its command line. Linux. */
export function processesOf(...paths: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const told = ['cmdline', 'environ'].map((file) => read(`/proc/${pid}/${file}`)).join('\0') + link(`/proc/${pid}/cwd`)
      return paths.some((path) => told.includes(path)) ? [`${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`] : []
    })
}

/** Containers, networks, volumes and images of the engine, a line each. Ours bear the state directory in a label. */
export function dockerObjectsOf(stateDirectory: string): string[] {
  const filter = `label=dev.devcloud.state=${stateId(stateDirectory)}`
  const list = (...args: readonly string[]) =>
    execFileSync('docker', args, { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean)
      .map((line) => `${args[0]} ${line}`)
  return [
    ...list('ps', '--all', '--filter', filter, '--format', '{{.ID}} {{.Names}}'),
    ...list('network', 'ls', '--filter', filter, '--format', '{{.Name}}'),
    ...list('volume', 'ls', '--filter', filter, '--format', '{{.Name}}'),
  ]
}

/** Where a state directory keeps things outside itself: memory for secrets, and for root the clusters of Postgres. */
export function outsideOf(stateDirectory: string): string[] {
  const hash = createHash('sha256').update(stateDirectory).digest('hex')
  return [`/dev/shm/devcloud-${process.getuid?.() ?? 0}-${hash.slice(0, 12)}`, `/var/lib/devcloud/${hash.slice(0, 8)}`]
}

/** Every file and folder below these paths. */
export function filesIn(...paths: readonly string[]): string[] {
  return paths.flatMap((path) => (existsSync(path) ? readdirSync(path, { recursive: true }).map((name) => `${path}/${String(name)}`) : []))
}

/** Whether a process runs; one that has ended and waits for its parent's `wait` does not. */
export function isRunning(pid: number): boolean {
  const [, state] = /\) (\w) /.exec(read(`/proc/${pid}/stat`)) ?? []
  return state !== undefined && state !== 'Z'
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
