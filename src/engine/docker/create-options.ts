import type Docker from 'dockerode'
import { withOptions } from '../../base/join-options.ts'
import type { ContainerSpec } from '../engine.ts'
import { toContainerLabels } from './labels.ts'

/** What is decided about a container beside what its spec says. */
export interface Placement {
  readonly dockerName: string
  readonly state: string
  readonly network: string
  /** Its own addresses in the project's network; a database takes what Docker gives. */
  readonly address?: { readonly ip: string; readonly linkLocal: string }
  /** Where names are asked for: the project's forwarder. */
  readonly dns?: string
  /** Whether the port is published on 127.0.0.1, because containers cannot be reached by their address. */
  readonly publish: boolean
  /** What Docker has; asking for more is refused by it. */
  readonly hostCpus: number
  readonly mounts: readonly Docker.MountSettings[]
  /** The folder of its files in memory. */
  readonly files: string | undefined
  /** How many files a process may have open, which it cannot raise. */
  readonly openFiles: number
  /** Docker's id of the container whose network it shares. */
  readonly joins: string | undefined
  /** Docker's names of its folders in memory. */
  readonly memoryVolumes: readonly string[]
}

/** What images of web servers and databases need to start as root and then become another user. */
const capabilities = ['CHOWN', 'SETUID', 'SETGID', 'DAC_OVERRIDE', 'FOWNER', 'NET_BIND_SERVICE', 'KILL']

/** The address of Google's metadata server, which libraries use without asking for its name. */
export const metadataAddress = '169.254.169.254'

/** What Docker is asked to make. Pure. */
export function toCreateOptions(spec: ContainerSpec, at: Placement): Docker.ContainerCreateOptions {
  const ports = at.joins === undefined ? [...new Set([spec.port ?? [], spec.ports ?? []].flat())].map((port) => `${port}/tcp`) : []
  return {
    name: at.dockerName,
    Image: spec.image,
    Env: toEnv(spec, {}),
    Labels: toContainerLabels(spec, at),
    ...(spec.command !== undefined && { Entrypoint: [...spec.command] }),
    ...(spec.args !== undefined && { Cmd: [...spec.args] }),
    ...(spec.workingDirectory !== undefined && { WorkingDir: spec.workingDirectory }),
    ...(ports.length > 0 && { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) }),
    HostConfig: {
      NetworkMode: at.joins === undefined ? at.network : `container:${at.joins}`,
      CapDrop: ['ALL'],
      CapAdd: capabilities,
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 1024,
      ...(spec.role !== 'database' && { Ulimits: [{ Name: 'nofile', Soft: at.openFiles, Hard: at.openFiles }] }),
      Init: false, // Cloud Run has none
      Mounts: [...at.mounts],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '20m', 'max-file': '2' } },
      ...(spec.memoryBytes !== undefined && { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes }),
      ...(spec.cpus !== undefined && { NanoCpus: Math.round(Math.min(spec.cpus, at.hostCpus) * 1e9) }),
      ...(at.joins === undefined && toNames(spec, at)),
      ...(at.publish && { PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: '127.0.0.1', HostPort: '' }]])) }),
    },
    ...(at.joins === undefined &&
      at.address !== undefined && { NetworkingConfig: { EndpointsConfig: { [at.network]: toEndpoint(at.address) } } }),
  }
}

/** @param image the variables of the image, which ours take the place of */
export function toEnv(spec: ContainerSpec, image: Readonly<Record<string, string>>): string[] {
  const env = { ...(spec.port !== undefined && spec.role !== 'database' && { PORT: String(spec.port) }), ...spec.env }
  return Object.entries(withOptions(env, spec.options, image)).map(([name, value]) => `${name}=${value}`)
}

/** Docker refuses names for a container that shares another's network: it has that one's. */
function toNames(spec: ContainerSpec, at: Placement): Docker.HostConfig {
  const local = (spec.localNames ?? []).map((name) => `${name}:127.0.0.1`)
  if (at.dns === undefined) return { ExtraHosts: local }
  return { Dns: [at.dns], ExtraHosts: [`metadata.google.internal:${metadataAddress}`, ...local] }
}

/** A link-local address beside its own makes 169.254.0.0/16 a neighbour, so that the forwarder answers at the metadata server's address. */
export function toEndpoint(address: { readonly ip: string; readonly linkLocal: string }): Docker.EndpointSettings {
  return { IPAMConfig: { IPv4Address: address.ip, LinkLocalIPs: [address.linkLocal] } }
}
