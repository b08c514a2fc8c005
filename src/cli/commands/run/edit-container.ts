import { editEnv, envFlags } from './edit-env.ts'
import { editSecrets, secretFlags } from './edit-secrets.ts'
import { editMounts, mountFlags } from './edit-volumes.ts'
import { readCount, readList, usage, type Given } from './flag-values.ts'
import { readProbe } from './read-probe.ts'
import type { ContainerJson, TemplateJson } from './run-json.ts'

/** Flags that are about one container: after `--container NAME` about that one, else about the one that requests come to. */
export const containerFlags: readonly string[] = [
  'image', 'source', 'command', 'args', 'cpu', 'memory', 'port', 'use-http2', 'depends-on', 'startup-probe', 'liveness-probe',
  ...envFlags, ...secretFlags, ...mountFlags,
] // prettier-ignore

/** Changes `container` as the flags say. `source` is the caller's, who builds first and sets the image. @throws CloudError USAGE */
export function editContainer(template: TemplateJson, container: ContainerJson, given: readonly Given[]): void {
  const last = (flag: string) => given.findLast((one) => one.flag === flag)
  const image = last('image')
  if (image !== undefined) container.image = image.value
  const [command, args] = [last('command'), last('args')]
  if (command !== undefined) container.command = [...readList(command.value)]
  if (args !== undefined) container.args = [...readList(args.value)]
  else if (command !== undefined) container.args = [] // gcloud: no arguments are passed when only a command is told
  editResources(container, last('cpu'), last('memory'))
  editPort(container, last('port'), last('use-http2'))
  const startup = last('startup-probe')
  const liveness = last('liveness-probe')
  if (startup !== undefined) setOrDelete(container, 'startupProbe', readProbe(startup))
  if (liveness !== undefined) setOrDelete(container, 'livenessProbe', readProbe(liveness))
  const dependsOn = last('depends-on')
  if (dependsOn !== undefined) container.dependsOn = [...readList(dependsOn.value)]
  const any = (flags: readonly string[]) => given.some(({ flag }) => flags.includes(flag))
  if (any(envFlags)) editEnv(container, given)
  if (any(secretFlags)) editSecrets(template, container, given)
  if (any(mountFlags)) editMounts(container, given)
}

/** `undefined` takes the field away: the server has its default. */
export function setOrDelete<T extends object, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value === undefined) delete target[key]
  else target[key] = value
}

function editResources(container: ContainerJson, cpu: Given | undefined, memory: Given | undefined): void {
  if (cpu === undefined && memory === undefined) return
  if (memory !== undefined && !/^\d+(\.\d+)?([KMG]i?|k|)$/.test(memory.value)) {
    throw usage(`argument --memory: "${memory.value}" is not an amount of memory.`, 'Write for example 512Mi or 2Gi.')
  }
  if (cpu !== undefined && !/^\d+(\.\d+)?m?$/.test(cpu.value)) {
    throw usage(`argument --cpu: "${cpu.value}" is not an amount of CPU.`, 'Write for example 1, 0.5 or 500m.')
  }
  const limits = { ...container.resources?.limits, ...(cpu && { cpu: cpu.value }), ...(memory && { memory: memory.value }) }
  container.resources = { cpuIdle: true, ...container.resources, limits }
}

function editPort(container: ContainerJson, port: Given | undefined, http2: Given | undefined): void {
  if (port === undefined && http2 === undefined) return
  const now = container.ports?.[0] ?? {}
  const name = http2 === undefined ? (now.name ?? 'http1') : http2.value === 'true' ? 'h2c' : 'http1'
  const containerPort = port === undefined ? now.containerPort : readCount(port, 1, 65_535)
  const probe = container.startupProbe?.tcpSocket
  if (probe !== undefined && containerPort !== undefined && probe.port === now.containerPort) probe.port = containerPort
  container.ports = [{ name, ...(containerPort !== undefined && { containerPort }) }]
}
