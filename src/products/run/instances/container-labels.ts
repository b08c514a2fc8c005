import type { Container } from '../../../engine/engine.ts'

/** Whose work a container does. `name` is a full resource name, the other texts are ids. */
export type ContainerOwner =
  | { readonly kind: 'revision'; readonly service: string; readonly revision: string; readonly name: string }
  /** A command that runs once in the image of a service. */
  | { readonly kind: 'once'; readonly service: string }
  /** `name` is the execution's; `task` is its index, and both numbers count from 0. */
  | {
      readonly kind: 'task'
      readonly job: string
      readonly execution: string
      readonly name: string
      readonly task: number
      readonly attempt: number
    }
  /** `name` is the worker pool's. */
  | { readonly kind: 'worker'; readonly pool: string; readonly revision: string; readonly name: string }

/** What Cloud Run writes on each of its containers: what runs is found again by it, by a later daemon too. */
export interface RunLabels {
  readonly owner: ContainerOwner
  /** The name of the instance that the container is of. */
  readonly instance: string
  /** The container's name in its template; empty for none. */
  readonly container: string
  /** Whether it stands beside the container that requests come to, or that a task is about. */
  readonly isSidecar: boolean
  /** How many CPUs it has once its startup boost is over. Absent without a boost. */
  readonly cpusAfterBoost?: number
}

/** As the engine keeps them. Containers of earlier versions carry the same keys: `readLabels` is the way back. */
export function writeLabels({ owner, instance, container, isSidecar, cpusAfterBoost }: RunLabels): Record<string, string> {
  return {
    ...writeOwner(owner),
    instance,
    ...(container !== '' && { container }),
    ...(isSidecar && { sidecar: 'yes' }),
    ...(cpusAfterBoost !== undefined && { cpusAfterBoost: String(cpusAfterBoost) }),
  }
}

/** Undefined for a container that is not Cloud Run's, such as a database. */
export function readLabels({ name, labels }: Labelled): RunLabels | undefined {
  const owner = readOwner(labels)
  if (owner === undefined) return undefined
  const { instance = name, container = '', sidecar, cpusAfterBoost } = labels
  const boost = cpusAfterBoost !== undefined && { cpusAfterBoost: Number(cpusAfterBoost) }
  return { owner, instance, container, isSidecar: sidecar !== undefined, ...boost }
}

/** The owner, when it is of this kind. */
export function ownerOf<K extends ContainerOwner['kind']>(container: Labelled, kind: K): Extract<ContainerOwner, { kind: K }> | undefined {
  const owner = readOwner(container.labels)
  return owner?.kind === kind ? (owner as Extract<ContainerOwner, { kind: K }>) : undefined
}

/** The service that a container is of, and its revision where it is one's. */
export function serviceOf(container: Labelled): { readonly service: string; readonly revision?: string } | undefined {
  const owner = readOwner(container.labels)
  return owner?.kind === 'revision' || owner?.kind === 'once' ? owner : undefined
}

type Labelled = Pick<Container, 'name' | 'labels'>

function writeOwner(owner: ContainerOwner): Record<string, string> {
  switch (owner.kind) {
    case 'revision':
      return { service: owner.service, revision: owner.revision, revisionName: owner.name }
    case 'once':
      return { service: owner.service, once: 'yes' }
    case 'task': {
      const { job, execution, name, task, attempt } = owner
      return { job, execution, executionName: name, task: String(task), attempt: String(attempt) }
    }
    case 'worker':
      return { workerPool: owner.pool, workerPoolName: owner.name, revision: owner.revision }
  }
}

function readOwner(labels: Container['labels']): ContainerOwner | undefined {
  const {
    service,
    revision = '',
    revisionName,
    job,
    execution = '',
    executionName = '',
    task,
    attempt,
    workerPool,
    workerPoolName = '',
  } = labels
  if (job !== undefined) return { kind: 'task', job, execution, name: executionName, task: Number(task), attempt: Number(attempt) }
  if (workerPool !== undefined) return { kind: 'worker', pool: workerPool, revision, name: workerPoolName }
  if (service === undefined) return undefined
  return revisionName === undefined ? { kind: 'once', service } : { kind: 'revision', service, revision, name: revisionName }
}
