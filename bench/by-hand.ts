import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A container that someone starts with `docker run`. */
export interface ByHand extends Disposable {
  /** Its address in its network; empty when it takes what Docker gives. */
  readonly ip: string
  /** Until the command returns. */
  run(): void
  /** Ends it as its image wants to be ended, and removes it. */
  remove(): void
}

interface Inspected {
  readonly Image: string
  readonly Config: {
    readonly Env: readonly string[]
    readonly Entrypoint: readonly string[] | null
    readonly Cmd: readonly string[] | null
    readonly Labels: Readonly<Record<string, string>>
    readonly StopSignal?: string
  }
  readonly HostConfig: {
    readonly NetworkMode: string
    readonly CapAdd: readonly string[] | null
    readonly Dns: readonly string[] | null
    readonly ExtraHosts: readonly string[] | null
    readonly Memory: number
    readonly NanoCpus: number
    readonly Mounts: readonly { readonly Type: string; readonly Source: string; readonly Target: string; readonly ReadOnly?: boolean }[]
  }
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly IPAMConfig: { readonly IPv4Address?: string; readonly LinkLocalIPs?: readonly string[] } | null }>
    >
  }
}

/**
 * The instance and the database that devcloud runs from `stateDirectory`, as one starts them by hand: the same images with the same limits, mounts,
 * variables and addresses. Nothing is needed afterwards of those that run now.
 */
export function sameByHand(stateDirectory: string): { readonly instance: ByHand; readonly database: ByHand } {
  const instance = running('dev.devcloud.role=instance').find(({ HostConfig }) =>
    HostConfig.Mounts.some(({ Source }) => Source.startsWith(`${stateDirectory}/`)),
  )
  const state = instance?.Config.Labels['dev.devcloud.state']
  const database = running('dev.devcloud.role=database').find(({ Config }) => Config.Labels['dev.devcloud.state'] === state)
  if (instance === undefined || database === undefined) throw new Error(`No instance and database of ${stateDirectory} run as containers.`)
  return { instance: byHand('instance', instance), database: byHand('database', database) }
}

function byHand(role: string, like: Inspected): ByHand {
  const name = `bench-${process.pid}-${role}`
  const files = mkdtempSync(join(tmpdir(), 'bench-files-'))
  const { Config, HostConfig } = like
  const address = Object.values(like.NetworkSettings.Networks)[0]?.IPAMConfig
  const ip = address?.IPv4Address ?? ''
  const [entrypoint, ...first] = Config.Entrypoint ?? []
  const args = [
    'run',
    '--detach',
    `--name=${name}`,
    `--network=${HostConfig.NetworkMode}`,
    ...(ip === '' ? [] : [`--ip=${ip}`]),
    ...(address?.LinkLocalIPs ?? []).map((linkLocal) => `--link-local-ip=${linkLocal}`),
    ...(HostConfig.Dns ?? []).map((server) => `--dns=${server}`),
    ...(HostConfig.ExtraHosts ?? []).map((entry) => `--add-host=${entry}`),
    '--cap-drop=ALL',
    ...(HostConfig.CapAdd ?? []).map((capability) => `--cap-add=${capability}`),
    '--security-opt=no-new-privileges',
    ...(HostConfig.Memory > 0 ? [`--memory=${HostConfig.Memory}`, `--memory-swap=${HostConfig.Memory}`] : []),
    ...(HostConfig.NanoCpus > 0 ? [`--cpus=${HostConfig.NanoCpus / 1e9}`] : []),
    ...(Config.StopSignal === undefined ? [] : [`--stop-signal=${Config.StopSignal}`]),
    ...Config.Env.map((entry) => `--env=${entry}`),
    ...HostConfig.Mounts.map(({ Type, Source, Target, ReadOnly }, index) => {
      const source = Source.startsWith('/dev/shm/') ? copied(Source, join(files, String(index))) : Source // those end with their container
      return `--mount=type=${Type},source=${source},target=${Target}${ReadOnly === true ? ',readonly' : ''}`
    }),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    like.Image,
    ...first,
    ...(Config.Cmd ?? []),
  ]
  return {
    ip,
    run: () => void docker(...args),
    remove() {
      docker('stop', name)
      docker('rm', name)
    },
    [Symbol.dispose]() {
      docker('rm', '--force', name) // none is no error
      rmSync(files, { recursive: true, force: true })
    },
  }
}

function running(label: string): readonly Inspected[] {
  const ids = docker('ps', '--quiet', '--filter', `label=${label}`).split('\n')
  return ids.flatMap((id) => {
    try {
      return JSON.parse(docker('inspect', id)) as readonly Inspected[]
    } catch {
      return [] // another's, gone in between
    }
  })
}

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

function copied(from: string, to: string): string {
  cpSync(from, to, { recursive: true })
  return to
}
