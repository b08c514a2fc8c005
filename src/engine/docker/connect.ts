import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import { importDockerode } from './import-dockerode.ts'
import { dockerEndpoints, type DockerEndpoint } from './docker-endpoints.ts'

/** A Docker that answered. */
export interface Connected {
  readonly docker: Docker
  /** The path of Docker's socket, or host:port. */
  readonly endpoint: string
  readonly socketPath: string | undefined
  /** `Docker 28.2.2`, `Podman 4.3.1`. */
  readonly product: string
  /**
   * How this host reaches a container. `bridge`: by the container's own address. `published`: only by a port of 127.0.0.1, as with Docker Desktop, a
   * rootless engine, or an engine on another machine.
   */
  readonly reach: 'bridge' | 'published'
  /** Whether user 0 in a container is the daemon's own user on the host. */
  readonly rootless: boolean
  readonly cpus: number
}

const patienceMs = 2500

/** @throws CloudError DOCKER_UNREACHABLE within 3 s, with every endpoint that was tried */
export async function connectDocker(env: NodeJS.ProcessEnv = process.env): Promise<Connected> {
  const Dockerode = await importDockerode() // only when it is needed
  const endpoints = dockerEndpoints(env, homedir())
  const tries = await Promise.all(endpoints.map((endpoint) => tryEndpoint(Dockerode, endpoint, env)))
  const found = tries.find((tried) => typeof tried !== 'string')
  if (found !== undefined) return found
  throw new CloudError('UNAVAILABLE', 'Docker is not running.', 'start Docker, or run without containers: devcloud up --engine process', {
    fault: 'DOCKER_UNREACHABLE',
    evidence: endpoints.map((endpoint, index) => `${endpoint.name}: ${String(tries[index])}`),
  })
}

/** The connection, or the reason why Docker did not answer. */
async function tryEndpoint(Dockerode: typeof Docker, endpoint: DockerEndpoint, env: NodeJS.ProcessEnv): Promise<Connected | string> {
  try {
    const target = toTarget(endpoint, env)
    if (typeof target === 'string') return target
    const probe = new Dockerode({ ...target, headers: {}, timeout: patienceMs })
    const over = AbortSignal.timeout(patienceMs)
    const late = new Promise<never>((_resolve, reject) =>
      over.addEventListener('abort', () => reject(new Error(`accepts, but does not answer within ${patienceMs} ms`)), { once: true }),
    )
    const version = await Promise.race([probe.version(), late])
    const info: unknown = await Promise.race([probe.info(), late])
    return toConnected(new Dockerode({ ...target, headers: {} }), target, version, info)
  } catch (error) {
    return reasonOf(error)
  }
}

interface Target {
  readonly socketPath?: string
  readonly host: string
  readonly port?: number
  readonly protocol?: 'http' | 'https'
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

function toTarget(endpoint: DockerEndpoint, env: NodeJS.ProcessEnv): Target | string {
  const { url } = endpoint
  if (url === '') return 'names no Docker endpoint'
  if (url.startsWith('unix://')) {
    const socketPath = url.slice('unix://'.length) || '/var/run/docker.sock'
    return existsSync(socketPath) ? { socketPath, host: '' } : 'no such socket' // host '' keeps DOCKER_HOST out of dockerode's defaults
  }
  if (!URL.canParse(url.includes('://') ? url : `tcp://${url}`)) return 'is not a URL'
  const { protocol, hostname, port } = new URL(url.includes('://') ? url : `tcp://${url}`)
  if (!['tcp:', 'http:', 'https:'].includes(protocol)) return `${protocol}// is not spoken here, only unix:// and tcp://`
  const folder = endpoint.certificates
  const secure =
    protocol === 'https:' || port === '2376' || Boolean(env['DOCKER_TLS_VERIFY']) || (folder !== undefined && existsSync(folder))
  const target = { host: hostname, port: Number(port || (secure ? 2376 : 2375)) }
  if (!secure) return { ...target, protocol: 'http' }
  const read = (name: string) => readFileSync(join(folder ?? '', name))
  return { ...target, protocol: 'https', ...(folder !== undefined && { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }) }
}

function toConnected(docker: Docker, target: Target, version: Docker.DockerVersion, info: unknown): Connected {
  const { SecurityOptions, OperatingSystem, NCPU } = info as {
    readonly SecurityOptions?: readonly string[]
    readonly OperatingSystem?: string
    readonly NCPU?: number
  }
  const podman = (version.Components ?? []).find((part) => part.Name.startsWith('Podman'))
  const rootless = (SecurityOptions ?? []).some((option) => option.includes('rootless'))
  const isHere = process.platform === 'linux' && target.socketPath !== undefined && !/Docker Desktop/i.test(OperatingSystem ?? '')
  return {
    docker,
    endpoint: target.socketPath ?? `${target.host}:${target.port}`,
    socketPath: target.socketPath,
    product: podman === undefined ? `Docker ${version.Version}` : `Podman ${podman.Version}`,
    reach: isHere && !rootless ? 'bridge' : 'published',
    rootless,
    cpus: NCPU ?? 1,
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ECONNREFUSED') return 'refused: nothing listens there'
  if (code === 'EACCES') return 'no permission: is this user in the group docker?'
  return messageOf(error)
}
