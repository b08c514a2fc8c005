import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type Docker from 'dockerode'
import { CloudError } from '../../base/cloud-error.ts'
import { projectSocketFolder } from '../../base/paths.ts'
import { takesConnections } from '../../base/takes-connections.ts'
import { forwarderNumber, ipOf } from './addresses.ts'
import { ask, orAbsent } from './ask.ts'
import { metadataAddress, toEndpoint } from './create-options.ts'
import type { DockerHost } from './docker-host.ts'
import { toLabels } from './labels.ts'
import { importNodeImage } from './node-image.ts'
import type { ProjectNetwork } from './project-network.ts'
import { removeContainer } from './remove-container.ts'

const configLabel = 'dev.devcloud.config'
const inside = '/run/devcloud'
const startMs = 10_000
/** It needs 50 MB; but the pages of its own program count too, 150 MB of them where nobody has read it before, and runc then refuses a lower limit. */
const forwarderMemoryBytes = 256 * 2 ** 20

/**
 * Makes sure that the project's forwarder runs as it should; it goes on while no daemon runs.
 * @param gatewaySocket the daemon's own; the project's is in a folder beside it
 * @returns its address in the network
 */
export async function openForwarder(
  host: DockerHost,
  project: string,
  network: ProjectNetwork,
  gatewaySocket: string,
  signal: AbortSignal,
): Promise<string> {
  const program = readFileSync(fileURLToPath(import.meta.resolve('./forwarder.mjs')))
  const image = await importNodeImage(host.docker, 'devcloud/forwarder', { '/forwarder.mjs': program }, signal)
  const folder = projectSocketFolder(gatewaySocket, project)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const ip = ipOf(network.subnet, forwarderNumber)
  const options = toForwarderOptions(host, project, network, { image, folder, ip })
  const container = host.docker.getContainer(options.name ?? '')
  const found = await orAbsent(ask(container.inspect(), signal))
  const isAsWanted = found?.Config.Labels[configLabel] === options.Labels?.[configLabel]
  if (found !== undefined && !isAsWanted) await removeContainer(container, signal)
  if (found === undefined || !isAsWanted) await ask(host.docker.createContainer(options), signal)
  if (!isAsWanted || found?.State.Running !== true) await ask(container.start(), signal)
  await untilItListens(host, container, ip, signal)
  return ip
}

export function forwarderName(host: DockerHost, project: string): string {
  return `devcloud-${host.state}-${project}-forwarder`
}

function toForwarderOptions(
  host: DockerHost,
  project: string,
  network: ProjectNetwork,
  at: { readonly image: string; readonly folder: string; readonly ip: string },
): Docker.ContainerCreateOptions & { readonly Labels: Record<string, string> } {
  const options = {
    name: forwarderName(host, project),
    Image: at.image,
    Entrypoint: ['/usr/local/bin/node', '--max-old-space-size=48', '/forwarder.mjs'],
    // the daemon's own user, who alone may open its socket; in a rootless engine that is user 0
    User: host.rootless ? '0:0' : `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    Env: [`DEVCLOUD_SOCKET=${inside}/gateway.sock`, `DEVCLOUD_IP=${at.ip}`, `DEVCLOUD_BASE=${ipOf(network.subnet, 0)}`],
    HostConfig: {
      NetworkMode: network.name,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' }, // the capability is lost by a user who is not 0
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 64,
      Memory: forwarderMemoryBytes,
      MemorySwap: forwarderMemoryBytes,
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      // the folder: each daemon makes the socket anew
      Mounts: [{ Type: 'bind' as const, Source: at.folder, Target: inside, ReadOnly: true }],
    },
    NetworkingConfig: { EndpointsConfig: { [network.name]: toEndpoint({ ip: at.ip, linkLocal: metadataAddress }) } },
  }
  const config = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16)
  return { ...options, Labels: { ...toLabels({ state: host.state, project, role: 'forwarder' }), [configLabel]: config } }
}

async function untilItListens(host: DockerHost, container: Docker.Container, ip: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + startMs
  while (!(await takesConnections({ host: ip, port: 53 }, 500))) {
    signal.throwIfAborted()
    const { State } = await ask(container.inspect(), signal)
    if (host.reach === 'published' && State.Running) return // its address is not of this host
    if (performance.now() > deadline)
      throw new CloudError(
        'UNAVAILABLE',
        `The forwarder of Google's names does not start (${State.Status}).`,
        `docker logs ${container.id}`,
      )
    await sleep(50, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
