import type { Container } from '../../../engine/engine.ts'
import type { RunNeeds } from '../needs.ts'
import { readLabels } from './container-labels.ts'

/** How long the boost lasts after the start: https://cloud.google.com/run/docs/configuring/services/cpu#startup-boost */
export const boostAfterStartMs = 10_000

/** Gives boosted containers their own CPUs again, `afterMs` from now. An engine that cannot change them leaves the boost, and it is logged. */
export function endBoost(needs: Pick<RunNeeds, 'log'>, containers: readonly Container[], afterMs: number): void {
  const boosted = containers.flatMap((container) => {
    const cpus = readLabels(container)?.cpusAfterBoost
    return cpus === undefined ? [] : [{ container, cpus }]
  })
  if (boosted.length === 0) return
  const end = async (container: Container, cpus: number) => {
    if (container.state === 'exited') return
    const changed = await container.setCpus(cpus, AbortSignal.timeout(30_000))
    if (!changed) needs.log.info({ container: container.name }, 'the engine cannot change CPUs: the startup boost stays')
  }
  const timer = setTimeout(() => {
    for (const { container, cpus } of boosted)
      end(container, cpus).catch((error: unknown) => needs.log.warn({ err: error, container: container.name }, 'the startup boost stays'))
  }, afterMs)
  timer.unref()
}
