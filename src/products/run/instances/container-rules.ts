import type { Container as RunContainer } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { ExecutionEnvironment } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import { defaultLimits, defaultPort } from '../defaults.ts'
import { limitsOf } from './amounts.ts'
import type { InstanceTemplate } from './instance-spec.ts'
import { checkContainerValues } from './container-values.ts'
import { checkPort, checkProbes } from './probes.ts'
import { checkLimits } from './resource-limits.ts'
import { startOrder } from './start-order.ts'
import { checkVolumes } from './volume-rules.ts'

const mostContainers = 10

/**
 * Fills what every container of a template has by default: a name, CPU and memory. Poked into `template`, which is the caller's own copy.
 * @throws CloudError INVALID_ARGUMENT for what Cloud Run refuses
 */
export function fillContainers(template: InstanceTemplate & { readonly executionEnvironment?: ExecutionEnvironment }): void {
  const { containers } = template
  if (containers.length === 0)
    throw new CloudError('INVALID_ARGUMENT', 'template.containers: should have at least one element.', 'Name a container image.')
  nameContainers(containers, 'template.containers')
  for (const [index, container] of containers.entries()) {
    const field = `template.containers[${index}]`
    if (container.image === '') throw new CloudError('INVALID_ARGUMENT', `${field}.image: must not be empty.`, 'Name a container image.')
    fillResources(container, true)
    checkContainerValues(container, field)
    for (const { containerPort } of container.ports) checkPort(containerPort, `${field}.ports.container_port`)
    checkProbes(container, field)
  }
  startOrder(template)
  checkVolumes(template, template.executionEnvironment === ExecutionEnvironment.GEN1)
}

/** What a container that serves no requests is part of. */
export interface WorkRules {
  /** Where its template's containers stand, for messages. */
  readonly field: string
  readonly one: 'a job' | 'a worker pool'
  /** Whose probes are refused. */
  readonly many: 'tasks' | 'worker pools'
  readonly reservedEnv: readonly string[]
}

/**
 * The same for what serves no requests, and so has no ports, and of the probes the startup probe alone.
 * @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED for the other probes
 */
export function fillWork(template: InstanceTemplate, { field, one, many, reservedEnv }: WorkRules): void {
  const { containers } = template
  if (containers.length === 0) throw new CloudError('INVALID_ARGUMENT', `${field}: should have at least one element.`, 'Name an image.')
  for (const [index, container] of containers.entries()) {
    const place = `${field}[${index}]`
    if (container.image === '') throw new CloudError('INVALID_ARGUMENT', `${place}.image: must not be empty.`, 'Name a container image.')
    if (container.ports.length > 0) {
      const message = `${place}.ports: ${one} serves no requests and has no ports.`
      throw new CloudError('INVALID_ARGUMENT', message, 'Remove the port.')
    }
    if (container.livenessProbe !== undefined) throw unimplemented(`liveness probes of ${many}`)
    if (container.readinessProbe !== undefined) throw unimplemented(`readiness probes of ${many}`)
    checkProbes(container, place)
    fillResources(container, false)
    checkContainerValues(container, place)
    checkReservedEnv(`${place}.env`, container.env, reservedEnv)
  }
  if (containers.length > 1) nameContainers(containers, field)
  checkLimits(containers.map(limitsOf), undefined)
  startOrder(template)
  checkVolumes(template, false)
}

/** @throws CloudError INVALID_ARGUMENT for a variable that the system sets anyway */
export function checkReservedEnv(field: string, env: readonly { readonly name: string }[], reserved: readonly string[]): void {
  const found = env.find(({ name }) => reserved.includes(name))?.name
  if (found === undefined) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `${field}: The following reserved env names were provided: ${found}. These values are automatically set by the system.`,
    `Remove ${found}.`,
  )
}

function fillResources(container: RunContainer, cpuIdle: boolean): void {
  container.resources ??= { $typeName: 'google.cloud.run.v2.ResourceRequirements', limits: {}, cpuIdle, startupCpuBoost: false }
  container.resources.limits = { ...defaultLimits, ...container.resources.limits }
}

/**
 * Gives a name to each container that has none. Poked into `containers`, which are the caller's own copies.
 * @param field where they stand, for messages: `template.containers`
 * @throws CloudError INVALID_ARGUMENT for more than ten, and for names that are no names or not apart
 */
export function nameContainers(containers: readonly RunContainer[], field: string): void {
  if (containers.length > mostContainers) {
    const message = `${field}: must have at most ${mostContainers} elements, but has ${containers.length}.`
    throw new CloudError('INVALID_ARGUMENT', message, 'Remove some.')
  }
  for (const [index, container] of containers.entries()) {
    container.name ||= freeName(container.image, containers)
    if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(container.name)) continue
    const message = `${field}[${index}].name: "${container.name}" must hold only lower case letters, digits and hyphens, at most 63, and no hyphen at its ends.`
    throw new CloudError('INVALID_ARGUMENT', message, 'Choose such a name.')
  }
  const names = containers.map((container) => container.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw new CloudError('INVALID_ARGUMENT', `${field}: The name "${twice}" is given twice.`, 'Give each container a name of its own.')
}

/**
 * The container that serves, with its port filled: the default one for one alone; beside sidecars exactly one must declare its port.
 * @throws CloudError INVALID_ARGUMENT
 */
export function fillIngress(template: InstanceTemplate): RunContainer {
  const { containers } = template
  const [first] = containers
  const serving = containers.filter((container) => container.ports.length > 0)
  if (containers.length > 1 && serving.length !== 1) {
    throw new CloudError(
      'INVALID_ARGUMENT',
      'template.containers: Revision template should contain exactly one container with an exposed port.',
      'Give ports to the container that requests come to, and to no other.',
    )
  }
  const ingress = serving[0] ?? first
  if (ingress === undefined)
    throw new CloudError('INVALID_ARGUMENT', 'template.containers: should have at least one element.', 'Name a container image.')
  if (ingress.ports.length > 1)
    throw new CloudError('INVALID_ARGUMENT', 'template.containers.ports: Only a single port can be specified.', 'Give one port.')
  const [port] = ingress.ports
  if (port === undefined) ingress.ports.push({ $typeName: 'google.cloud.run.v2.ContainerPort', name: 'http1', containerPort: defaultPort })
  else {
    port.name ||= 'http1'
    port.containerPort ||= defaultPort
  }
  return ingress
}

/** `IMAGE-1`, as Cloud Run names those that have no name: the image's last part, and the first number that is free. `app` for the id of an image. */
function freeName(image: string, containers: readonly RunContainer[]): string {
  const taken = new Set(containers.map((container) => container.name))
  const [last = ''] = image.startsWith('sha256:') ? [] : lastPart(image).split(/[:@]/)
  const stem =
    last
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 50) || 'app'
  for (let number = 1; ; number += 1) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`
}
