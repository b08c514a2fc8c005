import type { DockerHost } from './docker-host.ts'
import { openForwarder } from './forwarder.ts'
import { openDatabaseNetwork, openProjectNetwork, type ProjectNetwork } from './project-network.ts'
import type { Attachment } from './start-container.ts'

/** The networks of projects, each opened once. */
export interface Projects {
  open(project: string, signal: AbortSignal): Promise<void>
  /** The network and address of the next instance. */
  attach(project: string, signal: AbortSignal): Promise<Attachment>
  attachDatabase(project: string, signal: AbortSignal): Promise<Attachment>
  /** Forgets a project's network, so that the next call looks for it again. */
  forget(project: string): void
  /** Marks a project as closing: its network is not made again. Resolves when no work on the network is under way. */
  close(project: string): Promise<void>
  /** The projects that are open. */
  names(): readonly string[]
}

interface Open {
  readonly network: ProjectNetwork
  /** The forwarder's address. Undefined where containers cannot reach this host's Unix sockets. */
  readonly dns: string | undefined
}

export function openProjects(host: DockerHost, gatewaySocket: string): Projects {
  const opened = new Map<string, Promise<Open>>()
  const databases = new Map<string, Promise<string>>()
  /** The projects whose network and forwarder must exist, each with the last address that was given. */
  const kept = new Map<string, { last: number }>()
  const isSameMachine = process.platform === 'linux' && (host.reach === 'bridge' || host.rootless)

  /** The last work on each project's network. Such work runs one at a time: two at once would both replace the forwarder of an earlier version. */
  const turns = new Map<string, Promise<Open>>()

  const make = (project: string, signal: AbortSignal): Promise<Open> => {
    const before = turns.get(project)
    const given = keep(project)
    const making = (async () => {
      await before?.catch(() => {})
      return await makeAlone(project, given, signal)
    })()
    turns.set(project, making)
    return making
  }

  const keep = (project: string) => {
    const given = kept.get(project) ?? { last: 0 }
    kept.set(project, given)
    return given
  }

  const makeAlone = async (project: string, given: { last: number }, signal: AbortSignal): Promise<Open> => {
    const network = await openProjectNetwork(host, project, given, signal)
    if (isSameMachine) return { network, dns: await openForwarder(host, project, network, gatewaySocket, signal) }
    host.log.warn({ endpoint: host.endpoint }, "this Docker cannot mount this host's sockets: containers do not get Google's names")
    return { network, dns: undefined }
  }
  return {
    async open(project, signal) {
      opened.delete(project)
      await once(opened, project, () => make(project, signal))
    },
    async attach(project, signal) {
      const { network, dns } = await once(opened, project, () => make(project, signal))
      if (dns === undefined) return { network: network.name }
      return { network: network.name, dns, address: await network.nextAddress(signal) }
    },
    async attachDatabase(project, signal) {
      return { network: await once(databases, project, () => openDatabaseNetwork(host, project, signal)) }
    },
    forget(project) {
      opened.delete(project)
      databases.delete(project)
    },
    async close(project) {
      kept.delete(project)
      opened.delete(project)
      databases.delete(project)
      await turns.get(project)?.catch(() => {})
    },
    names: () => [...kept.keys()],
  }
}

/** The result of `make`, made once. After a failure the next call tries again. */
function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = made.get(key)
  if (found !== undefined) return found
  const making = make()
  made.set(key, making)
  making.catch(() => made.get(key) === making && made.delete(key))
  return making
}
