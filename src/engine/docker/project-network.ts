import type Docker from 'dockerode'
import { CloudError } from '../../base/cloud-error.ts'
import { nextAddress, readSubnet, type InstanceAddress, type Subnet } from './addresses.ts'
import { ask, statusOf, wordsOf } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { ours, toLabels } from './labels.ts'

/** The network that the instances of a project share. */
export interface ProjectNetwork {
  readonly name: string
  readonly subnet: Subnet
  /** A free address in the network. The same address is not given twice in a row. */
  nextAddress(signal: AbortSignal): Promise<InstanceAddress>
}

function networkName(host: DockerHost, project: string): string {
  return `devcloud-${project}-${host.state}`
}

/** The project of the network, or network of databases, with this name. Undefined for a network of another state directory. */
export function projectOfNetwork(host: DockerHost, name: string): string | undefined {
  return new RegExp(`^devcloud-(.+)-${host.state}(?:-databases)?$`).exec(name)?.[1]
}

/**
 * Finds or makes the bridge of a project.
 * @param given the last address, which the caller keeps while the project is open: after an outage of Docker, a router that has not noticed the end of an
 *   instance yet must not reach another instance at the same address
 */
export async function openProjectNetwork(
  host: DockerHost,
  project: string,
  given: { last: number },
  signal: AbortSignal,
): Promise<ProjectNetwork> {
  const name = networkName(host, project)
  const found = (await findNetwork(host, name, signal)) ?? (await makeBridge(host, project, name, signal))
  const subnet = readSubnet(found.IPAM?.Config?.[0]?.Subnet ?? '')
  return {
    name,
    subnet,
    async nextAddress(signal) {
      const info: Docker.NetworkInspectInfo = await ask(host.docker.getNetwork(name).inspect(), signal)
      const taken = new Set(Object.values(info.Containers ?? {}).map((container) => container.IPv4Address.replace(/\/\d+$/, '')))
      const next = nextAddress(subnet, given.last, (ip) => taken.has(ip))
      if (next === undefined)
        throw new CloudError('RESOURCE_EXHAUSTED', `All addresses of ${project}'s network are taken.`, `devcloud down --project ${project}`)
      given.last = next.number
      return next
    },
  }
}

/** The network of a project's databases. Nothing leads out of this network. */
export async function openDatabaseNetwork(host: DockerHost, project: string, signal: AbortSignal): Promise<string> {
  const name = `${networkName(host, project)}-databases`
  if ((await findNetwork(host, name, signal)) === undefined) await createNetwork(host, project, name, { Internal: true }, signal)
  return name
}

async function findNetwork(host: DockerHost, name: string, signal: AbortSignal): Promise<Docker.NetworkInspectInfo | undefined> {
  const networks = await ask(host.docker.listNetworks({ filters: ours(host.state) }), signal)
  return networks.find((network) => network.Name === name)
}

/**
 * Finds a free subnet. Docker gives fixed addresses only in a subnet that the caller names, but Docker itself knows which subnets are free. So Docker
 * chooses the subnet of a draft network, which is removed at once.
 */
async function makeBridge(host: DockerHost, project: string, name: string, signal: AbortSignal): Promise<Docker.NetworkInspectInfo> {
  for (let attempt = 0; ; attempt++) {
    const draft = await createNetwork(host, project, `${name}-draft`, {}, signal)
    const Subnet = draft.IPAM?.Config?.[0]?.Subnet ?? ''
    await ask(host.docker.getNetwork(draft.Id).remove(), signal)
    try {
      return await createNetwork(host, project, name, { IPAM: { Config: [{ Subnet }] } }, signal)
    } catch (error) {
      if (attempt === 4 || !/overlap/i.test(wordsOf(error))) throw error // somebody took the subnet meanwhile
    }
  }
}

async function createNetwork(
  host: DockerHost,
  project: string,
  name: string,
  options: Partial<Docker.NetworkCreateOptions>,
  signal: AbortSignal,
): Promise<Docker.NetworkInspectInfo> {
  const Labels = toLabels({ state: host.state, project, role: 'network' })
  try {
    const network = await ask(host.docker.createNetwork({ Name: name, Driver: 'bridge', CheckDuplicate: true, Labels, ...options }), signal)
    return await ask(host.docker.getNetwork(network.id).inspect(), signal)
  } catch (error) {
    const found = statusOf(error) === 409 ? await findNetwork(host, name, signal) : undefined
    if (found !== undefined) return found
    if (!/address pool/i.test(wordsOf(error))) throw error
    throw new CloudError('RESOURCE_EXHAUSTED', `Docker has no subnet left for ${project}'s network.`, 'docker network prune', {
      cause: error,
      fault: 'NETWORK_POOL_EMPTY',
    })
  }
}
