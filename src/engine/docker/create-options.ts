import type Docker from 'dockerode'
import { withOptions } from '../../base/join-options.ts'
import type { ContainerSpec } from '../engine.ts'
import { toContainerLabels } from './labels.ts'

/** What the engine decides about a container, besides the container's spec. */
export interface Placement {
  readonly dockerName: string
  readonly state: string
  readonly network: string
  /** The container's addresses in the project's network. A database gets its address from Docker. */
  readonly address?: { readonly ip: string; readonly linkLocal: string }
  /** The DNS server of the container: the project's forwarder. */
  readonly dns?: string
  /** Whether the port is published on 127.0.0.1, because containers cannot be reached by their address. */
  readonly publish: boolean
  /** The CPUs of Docker's host. Docker refuses more. */
  readonly hostCpus: number
  readonly mounts: readonly Docker.MountSettings[]
  /** The folder with the container's files in memory. */
  readonly files: string | undefined
  /** The hard limit of open files of a process. */
  readonly openFiles: number
  /** Docker's id of the container whose network the new container shares. */
  readonly joins: string | undefined
  /** Docker's names of the container's folders in memory. */
  readonly memoryVolumes: readonly string[]
}

/** The capabilities with which images of web servers and databases start as root and then become another user. */
const capabilities = ['CHOWN', 'SETUID', 'SETGID', 'DAC_OVERRIDE', 'FOWNER', 'NET_BIND_SERVICE', 'KILL']

/** The address of Google's metadata server. Libraries use the address without a lookup of the name. */
export const metadataAddress = '169.254.169.254'

/** Translates a spec into Docker's options. Pure. */
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
      Init: false, // Cloud Run starts no init process
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

/** @param image the variables of the image; variables of the spec replace them */
export function toEnv(spec: ContainerSpec, image: Readonly<Record<string, string>>): string[] {
  const env = { ...(spec.port !== undefined && spec.role !== 'database' && { PORT: String(spec.port) }), ...spec.env }
  return Object.entries(withOptions(env, spec.options, image)).map(([name, value]) => `${name}=${value}`)
}

/** The names of a container. Docker refuses names for a container that shares another container's network. */
function toNames(spec: ContainerSpec, at: Placement): Docker.HostConfig {
  const local = (spec.localNames ?? []).map((name) => `${name}:127.0.0.1`)
  if (at.dns === undefined) return { ExtraHosts: local }
  return { Dns: [at.dns], ExtraHosts: [`metadata.google.internal:${metadataAddress}`, ...local] }
}

/** A second, link-local address makes 169.254.0.0/16 a neighbour of the container, so that the forwarder answers at the metadata server's address. */
export function toEndpoint(address: { readonly ip: string; readonly linkLocal: string }): Docker.EndpointSettings {
  return { IPAMConfig: { IPv4Address: address.ip, LinkLocalIPs: [address.linkLocal] } }
}
