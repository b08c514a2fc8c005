import { containerFlags, editContainer, setOrDelete } from './edit-container.ts'
import { checkAlone } from './edit-env.ts'
import { editCloudSql, editVolumes, sqlFlags, volumeFlags } from './edit-volumes.ts'
import { editNames, readChoice, readCount, readDuration, readList, readPairs, usage, type Given } from './flag-values.ts'
import type { ContainerJson, ServiceJson, TemplateJson } from './run-json.ts'

/** Where the flags of one command line belong. */
export interface Scoped {
  readonly general: readonly Given[]
  /** By container; `undefined` is the one that requests come to. */
  readonly containers: readonly { readonly name: string | undefined; readonly given: readonly Given[] }[]
}

/** Flags of a container that follow `--container NAME` are about that one. @throws CloudError USAGE as gcloud refuses mixtures */
export function scopeFlags(given: readonly Given[]): Scoped {
  const general: Given[] = []
  const containers: { name: string | undefined; given: Given[] }[] = []
  for (const one of given) {
    if (one.flag === 'container') {
      containers.push({ name: one.value, given: [] })
      continue
    }
    const current = containers.at(-1)
    const isNamed = current?.name !== undefined
    if (!containerFlags.includes(one.flag)) {
      if (isNamed) throw usage(`--${one.flag} is not about a container and must be specified before --container.`, 'Move it to the front.')
      general.push(one)
    } else if (current === undefined) containers.push({ name: undefined, given: [one] })
    else current.given.push(one)
  }
  const [first, second] = containers
  if (first !== undefined && first.name === undefined && second !== undefined) {
    throw usage(`When --container is specified --${first.given[0]?.flag} must be specified after --container.`, 'Name its container too.')
  }
  return { general, containers }
}

/**
 * Changes `service` as the flags say: deploy, update. Traffic and names of revisions are the caller's.
 * @param connectionName makes PROJECT:REGION:INSTANCE of a Cloud SQL instance's id
 */
export function editService(service: ServiceJson, { general, containers }: Scoped, connectionName: (id: string) => string): void {
  const { template } = service
  editTemplate(template, { general, containers }, connectionName)
  const last = (flag: string) => general.findLast((one) => one.flag === flag)
  const [description, ingress, check, url] = [last('description'), last('ingress'), last('invoker-iam-check'), last('default-url')]
  if (description !== undefined) service.description = description.value
  if (ingress !== undefined) service.ingress = ingresses[readChoice(ingress, ingressChoices)]
  if (check !== undefined) service.invokerIamDisabled = check.value === 'false'
  if (url !== undefined) service.defaultUriDisabled = url.value === 'false'
  editServiceScaling(service, last('min'), last('max'), last('scaling'))
  service.labels = editLabels(service.labels ?? {}, general)
  const audiences = general.filter(({ flag }) => flag.endsWith('-custom-audiences'))
  if (audiences.length > 0) service.customAudiences = [...editNames(service.customAudiences ?? [], audiences)]
}

/** What templates of services, jobs and worker pools have in common. */
export function editTemplate(template: TemplateJson, { general, containers }: Scoped, connectionName: (id: string) => string): void {
  const last = (flag: string) => general.findLast((one) => one.flag === flag)
  const of = (flags: readonly string[]) => general.filter(({ flag }) => flags.includes(flag))
  const removed = general.filter(({ flag }) => flag === 'remove-containers').flatMap(({ value }) => readList(value))
  template.containers = template.containers.filter(({ name }) => name === undefined || !removed.includes(name))
  editVolumes(template, of(volumeFlags))
  for (const { name, given } of containers) editContainer(template, containerFor(template, name), given)
  editCloudSql(template, of(sqlFlags), connectionName)
  const [timeout, account, concurrency] = [last('timeout'), last('service-account'), last('concurrency')]
  const [environment, affinity, health] = [last('execution-environment'), last('session-affinity'), last('deploy-health-check')]
  if (timeout !== undefined) template.timeout = readDuration(timeout)
  if (account !== undefined) template.serviceAccount = account.value
  if (concurrency !== undefined) setOrDelete(template, 'maxInstanceRequestConcurrency', readCount(concurrency, 1, 1000))
  if (environment !== undefined) {
    template.executionEnvironment = `EXECUTION_ENVIRONMENT_${readChoice(environment, ['gen1', 'gen2']).toUpperCase()}`
  }
  if (affinity !== undefined) template.sessionAffinity = affinity.value === 'true'
  if (health !== undefined) template.healthCheckDisabled = health.value === 'false'
  editTemplateScaling(template, last('min-instances'), last('max-instances'))
  editCpu(template, last('cpu-throttling'), last('cpu-boost'))
  if (general.some(({ flag }) => labelFlags.includes(flag))) template.labels = editLabels(template.labels ?? {}, general)
}

const ingresses = {
  all: 'INGRESS_TRAFFIC_ALL',
  internal: 'INGRESS_TRAFFIC_INTERNAL_ONLY',
  'internal-and-cloud-load-balancing': 'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER',
} as const
const ingressChoices = ['all', 'internal', 'internal-and-cloud-load-balancing'] as const
const labelFlags: readonly string[] = ['labels', 'update-labels', 'remove-labels', 'clear-labels']

/** The container of that name, made when there is none; without a name the one that requests come to. */
function containerFor(template: TemplateJson, name: string | undefined): ContainerJson {
  const { containers } = template
  const found =
    name === undefined
      ? (containers.find(({ ports }) => (ports?.length ?? 0) > 0) ?? containers[0])
      : containers.find((container) => container.name === name)
  if (found !== undefined) return found
  const made: ContainerJson = { ...(name !== undefined && { name }), resources: { cpuIdle: true, startupCpuBoost: true } }
  containers.push(made)
  return made
}

function editServiceScaling(service: ServiceJson, min: Given | undefined, max: Given | undefined, mode: Given | undefined): void {
  if (min === undefined && max === undefined && mode === undefined) return
  const scaling = { ...service.scaling }
  if (min !== undefined) setOrDelete(scaling, 'minInstanceCount', readCount(min, 0))
  if (max !== undefined) setOrDelete(scaling, 'maxInstanceCount', readCount(max, 1))
  if (mode !== undefined) {
    const count = mode.value === 'auto' ? undefined : readCount(mode, 0)
    scaling.scalingMode = count === undefined ? 'AUTOMATIC' : 'MANUAL'
    setOrDelete(scaling, 'manualInstanceCount', count)
  }
  service.scaling = scaling
}

function editTemplateScaling(template: TemplateJson, min: Given | undefined, max: Given | undefined): void {
  if (min === undefined && max === undefined) return
  const scaling = { ...template.scaling }
  if (min !== undefined) setOrDelete(scaling, 'minInstanceCount', readCount(min, 0))
  if (max !== undefined) setOrDelete(scaling, 'maxInstanceCount', readCount(max, 1))
  template.scaling = scaling
}

/** Both hold for every container of the template. */
function editCpu(template: TemplateJson, throttling: Given | undefined, boost: Given | undefined): void {
  if (throttling === undefined && boost === undefined) return
  for (const container of template.containers) {
    container.resources = {
      cpuIdle: true,
      ...container.resources,
      ...(throttling !== undefined && { cpuIdle: throttling.value === 'true' }),
      ...(boost !== undefined && { startupCpuBoost: boost.value === 'true' }),
    }
  }
}

/** `--clear-labels` goes first, then updates, then removals. */
export function editLabels(labels: Readonly<Record<string, string>>, given: readonly Given[]): Record<string, string> {
  const of = (...flags: readonly string[]) => given.filter(({ flag }) => flags.includes(flag))
  checkAlone(of('clear-labels'), of('remove-labels'))
  const updated = {
    ...(of('clear-labels').length > 0 ? {} : labels),
    ...Object.fromEntries(of('labels', 'update-labels').flatMap(readPairs)),
  }
  for (const key of of('remove-labels').flatMap(({ value }) => readList(value))) delete updated[key]
  return updated
}
