import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface GivenPodman extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly url: string
}

/** A Podman service of its own, with its own images and containers; what the machine's Podman has is not touched. Needs root. */
export async function givenPodman(): Promise<GivenPodman> {
  const folder = mkdtempSync('/tmp/pod-') // short: sockets below it may have 107 bytes
  const socket = join(folder, 'podman.sock')
  writeFileSync(join(folder, 'containers.conf'), containersConf())
  writeFileSync(
    join(folder, 'storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(folder, 'root')}"\nrunroot = "${join(folder, 'run')}"\n`,
  )
  const env = {
    ...process.env,
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
  }
  const service = spawn('podman', ['system', 'service', '--time=0', `unix://${socket}`], { env, stdio: 'ignore' })
  for (let tries = 0; !existsSync(socket) && tries < 200; tries += 1) await sleep(50)
  return {
    url: `unix://${socket}`,
    async [Symbol.asyncDispose]() {
      execFileSync('podman', ['system', 'reset', '--force'], { env, stdio: 'ignore' })
      service.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** runc, since crun wants one kind of cgroups alone; and no more open files than this machine allows. */
function containersConf(): string {
  const files = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  const limit = files === 'unlimited' ? '1048576' : files
  return `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n[containers]\ndefault_ulimits = ["nofile=${limit}:${limit}", "nproc=4096:4096"]\n`
}
