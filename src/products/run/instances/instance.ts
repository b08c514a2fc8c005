import { CloudError } from '../../../base/cloud-error.ts'
import type { Container } from '../../../engine/engine.ts'
import type { Address } from '../../../router/upstream.ts'
import { graceMs } from '../defaults.ts'
import { readLabels } from './container-labels.ts'

/** The containers of one instance, the one that requests come to, or that a task is about, first. */
export type InstanceContainers = readonly [Container, ...Container[]]

/** An instance that runs: its containers as one. */
export interface Instance {
  /** The ingress container's id. */
  readonly id: string
  /** Its spec's: the label `instance` of each of its containers. */
  readonly name: string
  /** The ingress container first. */
  readonly containers: readonly [Container, ...Container[]]
  /** Where requests go; undefined when its spec has no port. */
  readonly address: Address | undefined
  /** SIGTERM to every container, 10 s, SIGKILL; then they are removed. Idempotent. */
  stop(): Promise<void>
  /** Takes the CPU from every container, and gives it back. */
  pause(signal: AbortSignal): Promise<void>
  resume(signal: AbortSignal): Promise<void>
}

/** Containers that run already, as an instance. */
export function toInstance(containers: readonly [Container, ...Container[]]): Instance {
  const [ingress] = containers
  const all = async (work: (container: Container) => Promise<void>) => void (await Promise.all(containers.map(work)))
  return {
    id: ingress.id,
    name: instanceOf(ingress),
    containers,
    address: ingress.address,
    stop: () =>
      all(async (container) => {
        await container.stop(graceMs, AbortSignal.timeout(30_000))
        await container.remove(AbortSignal.timeout(30_000))
      }),
    pause: (signal) => all((container) => container.pause(signal)),
    resume: (signal) => all((container) => container.resume(signal)),
  }
}

/** The name of the instance that `container` is of. */
export function instanceOf(container: Pick<Container, 'name' | 'labels'>): string {
  return readLabels(container)?.instance ?? container.name
}

/** Containers by their instance, the ingress container first. Pure. */
export function groupByInstance(containers: readonly Container[]): readonly InstanceContainers[] {
  const groups = Map.groupBy(containers, instanceOf)
  return [...groups.values()].map((group) => {
    const [first, ...rest] = group.toSorted((a, b) => Number(isSidecar(a)) - Number(isSidecar(b)))
    if (first === undefined) throw new CloudError('INTERNAL', 'An instance has no container.', 'devcloud doctor')
    return [first, ...rest]
  })
}

/** Whether requests never come to it: for what picks one container of a service. */
export function isSidecar(container: Pick<Container, 'name' | 'labels'>): boolean {
  return readLabels(container)?.isSidecar === true
}
