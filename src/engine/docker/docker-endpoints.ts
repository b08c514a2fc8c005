import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** An address at which Docker or Podman may answer. */
export interface DockerEndpoint {
  /** The name for people: `DOCKER_HOST unix:///x.sock`, `context desktop-linux`, or the socket's path. */
  readonly name: string
  /** `unix:///var/run/docker.sock` or `tcp://host:2376`. Other schemes are reported as unsupported. */
  readonly url: string
  /** The folder with ca.pem, cert.pem and key.pem, for TLS. */
  readonly certificates?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The addresses at which Docker may answer, the likeliest first. An address from DOCKER_HOST or DOCKER_CONTEXT is the only one: nobody expects another
 * engine than the one that he named.
 * @see https://docs.docker.com/engine/manage-resources/contexts/ for the order
 */
export function dockerEndpoints(env: Environment, home: string): DockerEndpoint[] {
  const host = env['DOCKER_HOST']
  if (host) {
    const certificates = env['DOCKER_CERT_PATH'] ?? (env['DOCKER_TLS_VERIFY'] ? join(home, '.docker') : undefined)
    return [{ name: `DOCKER_HOST ${host}`, url: host, ...(certificates !== undefined && { certificates }) }]
  }
  const folder = env['DOCKER_CONFIG'] ?? join(home, '.docker')
  const named = env['DOCKER_CONTEXT']
  if (named && named !== 'default') return [contextEndpoint(folder, named)]
  const current = named ? undefined : textOf(readJson(join(folder, 'config.json')), 'currentContext')
  const runtime = env['XDG_RUNTIME_DIR']
  const sockets = [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(home, '.docker/run/docker.sock'),
    ...(runtime ? [join(runtime, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
  ]
  return [
    ...(current && current !== 'default' ? [contextEndpoint(folder, current)] : []),
    ...sockets.map((path) => ({ name: path, url: `unix://${path}` })),
  ]
}

/** A context's folder is the SHA-256 of its name: contexts/meta/fe9c.../meta.json, with `{"Endpoints":{"docker":{"Host":"unix:///..."}}}`. */
function contextEndpoint(folder: string, context: string): DockerEndpoint {
  const id = createHash('sha256').update(context).digest('hex')
  const meta = readJson(join(folder, 'contexts/meta', id, 'meta.json'))
  const url = textOf(fieldOf(fieldOf(meta, 'Endpoints'), 'docker'), 'Host') ?? ''
  const certificates = url.startsWith('tcp:') ? join(folder, 'contexts/tls', id, 'docker') : undefined
  return { name: `context ${context}`, url, ...(certificates !== undefined && { certificates }) }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name)
  return typeof field === 'string' ? field : undefined
}
