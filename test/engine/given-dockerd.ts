import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Docker from 'dockerode'
import { eventually } from '../products/run/given-run.ts'

/** A Docker of a test's own, which it may kill, stop and fill. Root. Disposed, nothing of it is left. */
export interface GivenDockerd extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly url: string
  readonly docker: Docker
  /** Starts it again after its end. Resolves when it answers. */
  start(): Promise<void>
  /** Sends a signal to dockerd alone. Resolves when it has ended, for signals that end it. */
  signal(name: NodeJS.Signals): Promise<void>
}

let last = 0

/**
 * @param options.sizeMb of the disk that it keeps all on; without it, as large as that of /tmp
 * Recipe: docs/reliability.md, last section.
 */
export async function givenDockerd({ sizeMb }: { readonly sizeMb?: number } = {}): Promise<GivenDockerd> {
  const folder = mkdtempSync('/tmp/pd-') // short: sockets lie below it
  if (sizeMb !== undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'devcloud-test', folder])
  const socket = join(folder, 's')
  const pool = 64 + ((process.pid + last++) % 180)
  // A network namespace of its own: a second dockerd beside the host's takes its docker0 away. A link leads from here to its containers.
  const name = `pd${process.pid}-${last}`
  const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  ip('netns', 'add', name)
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  ip('addr', 'add', `10.${pool}.255.1/30`, 'dev', name)
  ip('link', 'set', name, 'up')
  ip('-n', name, 'addr', 'add', `10.${pool}.255.2/30`, 'dev', 'eth0')
  for (const device of ['eth0', 'lo']) ip('-n', name, 'link', 'set', device, 'up')
  ip('-n', name, 'route', 'add', 'default', 'via', `10.${pool}.255.1`)
  ip('route', 'add', `10.${pool}.0.0/17`, 'via', `10.${pool}.255.2`)
  let child: ChildProcess
  const docker = new Docker({ socketPath: socket })
  const start = async () => {
    mkdirSync(join(folder, 'x'), { recursive: true })
    rmSync(join(folder, 'p'), { force: true }) // it would take the process that has its number now for itself
    // prettier-ignore
    const flags = [
      '--data-root', join(folder, 'x'), '--exec-root', join(folder, 'y'), '--pidfile', join(folder, 'p'), '--host', `unix://${socket}`,
      '--bridge', 'none', '--iptables=false', '--ip-masq=false', '--cgroup-parent', `/devcloud-test-${process.pid}`,
      '--default-address-pool', `base=10.${pool}.0.0/17,size=24`,
    ]
    const log = openSync(join(folder, 'log'), 'a')
    child = spawn('nsenter', [`--net=/run/netns/${name}`, 'dockerd', ...flags], { stdio: ['ignore', log, log], detached: true })
    await eventually(
      'dockerd answers',
      () =>
        docker.ping().then(
          () => true,
          () => false,
        ),
      60_000,
    )
  }
  const signal: GivenDockerd['signal'] = async (name) => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(name)
    if (name === 'SIGKILL' || name === 'SIGTERM') await ended
  }
  await start()
  return {
    url: `unix://${socket}`,
    docker,
    start,
    signal,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) await start()
      child.kill('SIGCONT')
      for (const { Id } of await docker.listContainers({ all: true }))
        await docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => {})
      await docker.pruneNetworks().catch(() => {})
      await signal('SIGTERM')
      const mounts = execFileSync('sh', ['-c', `awk '$2 ~ "^${folder}/" { print $2 }' /proc/mounts | sort -r`], { encoding: 'utf8' })
      for (const mount of mounts.split('\n').filter(Boolean)) execFileSync('umount', ['-l', mount])
      if (sizeMb !== undefined) execFileSync('umount', ['-l', folder])
      ip('link', 'del', name)
      ip('netns', 'del', name)
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
    },
  }
}
