import { CloudError } from '../../base/cloud-error.ts'
import type { Container } from '../../engine/engine.ts'
import { waitUntilListening } from '../../engine/readiness.ts'
import type { Address } from '../../router/upstream.ts'
import { containerSpec } from './container-spec.ts'
import { ingressOf, type InstanceSpec } from './instance-spec.ts'
import type { RunNeeds } from './needs.ts'

/** Cloud Run's default startup probe waits this long for the port (trap 42). */
const defaultStartupMs = 240_000
/** SIGTERM, then this long, then SIGKILL. */
const graceMs = 10_000

/** An instance that runs: its containers as one. */
export interface Instance {
  /** The ingress container's id. */
  readonly id: string
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

/**
 * Starts an instance and waits until it is ready, which with a port is when its startup probe has succeeded.
 * What was started is taken away again when it does not come up.
 * @throws CloudError APP_CRASHED, NOT_LISTENING, SECRET_UNREADABLE, ...
 */
export async function startInstance(needs: RunNeeds, spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
  const engine = await needs.engineFor(spec.project.id, signal)
  const ingress = ingressOf(spec.template)
  if (ingress === undefined) throw new CloudError('INTERNAL', 'The template has no container.', 'Deploy again.')
  const container = await engine.start(await containerSpec(needs, engine.kind, spec, ingress), signal)
  const instance = toInstance([container])
  if (spec.port === undefined) return instance
  try {
    const probe = ingress.startupProbe
    const timeoutMs =
      probe === undefined
        ? defaultStartupMs
        : (probe.initialDelaySeconds + (probe.failureThreshold || 3) * (probe.periodSeconds || 10)) * 1000
    await waitUntilListening(container, { port: spec.port, timeoutMs }, signal)
  } catch (error) {
    await instance.stop().catch((fault: unknown) => needs.log.warn({ err: fault, container: container.name }, 'stop failed'))
    throw error
  }
  return instance
}

/** Containers that run already, as an instance. */
export function toInstance(containers: readonly [Container, ...Container[]]): Instance {
  const [ingress] = containers
  const all = async (work: (container: Container) => Promise<void>) => void (await Promise.all(containers.map(work)))
  return {
    id: ingress.id,
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
