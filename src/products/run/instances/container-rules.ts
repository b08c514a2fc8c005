import { create } from '@bufbuild/protobuf'
import { ResourceRequirementsSchema, type Container as RunContainer } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { lastPart } from '../../../base/last-part.ts'
import { invalid } from '../invalid.ts'
import { defaultLimits, defaultPort } from '../defaults.ts'
import { limitsOf } from './amounts.ts'
import type { InstanceTemplate } from './instance-spec.ts'
import { checkContainerValues } from './container-values.ts'
import { checkPort, checkProbes } from './probes.ts'
import { checkLimits } from './resource-limits.ts'
import { startOrder } from './start-order.ts'
import { checkVolumes } from './volume-rules.ts'

const mostContainers = 10

/** What the containers of a template are part of. */
export interface ContainerRules {
  /** Where they stand, for messages: `template.containers`. */
  readonly field: string
  readonly reservedEnv: readonly string[]
  /** Given for what serves no requests, and so has no ports, and of the probes the startup probe alone. */
  readonly work?: { readonly one: 'a job' | 'a worker pool'; readonly many: 'tasks' | 'worker pools' }
  readonly isFirstGeneration?: boolean
}

/**
 * Fills what every container of a template has by default: a name, CPU and memory. Poked into `template`, which is the caller's own copy.
 * @throws CloudError INVALID_ARGUMENT for what Cloud Run refuses, UNIMPLEMENTED for probes of what serves no requests
 */
export function fillContainers(template: InstanceTemplate, { field, reservedEnv, work, isFirstGeneration = false }: ContainerRules): void {
  const { containers } = template
  if (containers.length === 0) throw invalid(`${field}: should have at least one element.`, 'Name a container image.')
  if (work === undefined || containers.length > 1) nameContainers(containers, field)
  for (const [index, container] of containers.entries()) {
    const place = `${field}[${index}]`
    if (container.image === '') throw invalid(`${place}.image: must not be empty.`, 'Name a container image.')
    if (work !== undefined && container.ports.length > 0)
      throw invalid(`${place}.ports: ${work.one} serves no requests and has no ports.`, 'Remove the port.')
    if (work !== undefined && container.livenessProbe !== undefined) throw unimplemented(`liveness probes of ${work.many}`)
    if (work !== undefined && container.readinessProbe !== undefined) throw unimplemented(`readiness probes of ${work.many}`)
    container.resources ??= create(ResourceRequirementsSchema, { cpuIdle: work === undefined })
    container.resources.limits = { ...defaultLimits, ...container.resources.limits }
    checkContainerValues(container, place)
    for (const { containerPort } of container.ports) checkPort(containerPort, `${place}.ports.container_port`)
    checkProbes(container, place)
    checkReservedEnv(`${place}.env`, container.env, reservedEnv)
  }
  if (work !== undefined) checkLimits(containers.map(limitsOf), undefined)
  startOrder(template)
  checkVolumes(template, isFirstGeneration)
}

/** @throws CloudError INVALID_ARGUMENT for a variable that the system sets anyway */
export function checkReservedEnv(field: string, env: readonly { readonly name: string }[], reserved: readonly string[]): void {
  const found = env.find(({ name }) => reserved.includes(name))?.name
  if (found === undefined) return
  throw invalid(
    `${field}: The following reserved env names were provided: ${found}. These values are automatically set by the system.`,
    `Remove ${found}.`,
  )
}

/**
 * Gives a name to each container that has none. Poked into `containers`, which are the caller's own copies.
 * @param field where they stand, for messages: `template.containers`
 * @throws CloudError INVALID_ARGUMENT for more than ten, and for names that are no names or not apart
 */
function nameContainers(containers: readonly RunContainer[], field: string): void {
  if (containers.length > mostContainers) {
    const message = `${field}: must have at most ${mostContainers} elements, but has ${containers.length}.`
    throw invalid(message, 'Remove some.')
  }
  for (const [index, container] of containers.entries()) {
    container.name ||= freeName(container.image, containers)
    if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(container.name)) continue
    const message = `${field}[${index}].name: "${container.name}" must hold only lower case letters, digits and hyphens, at most 63, and no hyphen at its ends.`
    throw invalid(message, 'Choose such a name.')
  }
  const names = containers.map((container) => container.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw invalid(`${field}: The name "${twice}" is given twice.`, 'Give each container a name of its own.')
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
    throw invalid(
      'template.containers: Revision template should contain exactly one container with an exposed port.',
      'Give ports to the container that requests come to, and to no other.',
    )
  }
  const ingress = serving[0] ?? first
  if (ingress === undefined) throw invalid('template.containers: should have at least one element.', 'Name a container image.')
  if (ingress.ports.length > 1) throw invalid('template.containers.ports: Only a single port can be specified.', 'Give one port.')
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
