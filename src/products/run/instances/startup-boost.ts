import type { Container } from '../../../engine/engine.ts'
import type { RunNeeds } from '../needs.ts'

/** The label that says how many CPUs a container has once its boost is over. */
export const boostLabel = 'cpusAfterBoost'

/** How long the boost lasts after the start: https://cloud.google.com/run/docs/configuring/services/cpu#startup-boost */
export const boostAfterStartMs = 10_000

/** Gives boosted containers their own CPUs again, `afterMs` from now. An engine that cannot change them leaves the boost, and it is logged. */
export function endBoost(needs: Pick<RunNeeds, 'log'>, containers: readonly Container[], afterMs: number): void {
  const boosted = containers.filter((container) => container.labels[boostLabel] !== undefined)
  if (boosted.length === 0) return
  const end = async (container: Container) => {
    if (container.state === 'exited') return
    const changed = await container.setCpus(Number(container.labels[boostLabel]), AbortSignal.timeout(30_000))
    if (!changed) needs.log.info({ container: container.name }, 'the engine cannot change CPUs: the startup boost stays')
  }
  const timer = setTimeout(() => {
    for (const container of boosted)
      end(container).catch((error: unknown) => needs.log.warn({ err: error, container: container.name }, 'the startup boost stays'))
  }, afterMs)
  timer.unref()
}
