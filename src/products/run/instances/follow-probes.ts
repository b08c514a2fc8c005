import { setTimeout as sleep } from 'node:timers/promises'
import type { Container } from '../../../engine/engine.ts'
import { askProbe } from './ask-probe.ts'
import { readLabels } from './container-labels.ts'
import type { Instance } from './instance.ts'
import { ingressOf, type InstanceTemplate } from './instance-spec.ts'
import { count, failureLine, noAnswers, probeOf, type ProbePlan } from './probes.ts'

/** What follows from probes of an instance that runs. */
export interface ProbeHandlers {
  /** A liveness probe has failed: the instance is to be shut down. Told once; `line` is what the log says. */
  onDead(line: string): void
  /** A readiness probe has failed, or succeeds again: whether new requests may come. */
  onReady(isReady: boolean, line: string): void
}

/**
 * Asks the liveness and readiness probes of an instance that has started, until `signal` ends or the instance does. While it is paused, which is
 * between requests when CPU is only allocated during them, nothing is asked, since a frozen process would fail; but one that is not ready is resumed
 * for the question, or it could never become ready again.
 */
export function followProbes(instance: Instance, template: InstanceTemplate, handlers: ProbeHandlers, signal: AbortSignal): void {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const notReady = new Set<ProbePlan>()
  for (const { container, plan } of plansOf(instance, template)) {
    void follow(instance, container, plan, either, (verdict, line) => {
      if (plan.kind === 'liveness') {
        if (verdict !== 'failed' || over.signal.aborted) return
        over.abort()
        handlers.onDead(line)
        return
      }
      const was = notReady.size === 0
      if (verdict === 'failed') notReady.add(plan)
      else notReady.delete(plan)
      if (was !== (notReady.size === 0)) handlers.onReady(notReady.size === 0, line)
    }).catch(() => {}) // the signal ended
  }
}

function plansOf(instance: Instance, template: InstanceTemplate) {
  const ingress = ingressOf(template)
  return template.containers.flatMap((wanted) => {
    const container =
      wanted === ingress ? instance.containers[0] : instance.containers.find((one) => readLabels(one)?.container === wanted.name)
    const port = wanted.ports[0]?.containerPort
    return (['liveness', 'readiness'] as const).flatMap((kind) => {
      const plan = probeOf(kind, wanted, port)
      return container === undefined || plan === undefined ? [] : [{ container, plan }]
    })
  })
}

async function follow(
  instance: Instance,
  container: Container,
  plan: ProbePlan,
  signal: AbortSignal,
  onVerdict: (verdict: 'succeeded' | 'failed', line: string) => void,
): Promise<void> {
  await sleep(plan.initialDelayMs, undefined, { signal })
  let tally = { ...noAnswers, verdict: 'succeeded' as 'none' | 'succeeded' | 'failed' } // it has started
  for (;;) {
    const asked = performance.now()
    if (container.state === 'exited') return
    const wakes = container.state === 'paused' && plan.kind === 'readiness' && tally.verdict === 'failed'
    const passed = wakes ? await askAwake(instance, container, plan, signal) : await ask(container, plan, signal)
    if (performance.now() - asked > plan.timeoutMs + stillMs) tally = { ...noAnswers, verdict: tally.verdict }
    else if (passed !== undefined) {
      const before = tally.verdict
      tally = count(plan, tally, passed)
      if (tally.verdict !== before && tally.verdict !== 'none')
        onVerdict(tally.verdict, tally.verdict === 'failed' ? failureLine(plan, tally.inARow) : readyLine(plan))
    }
    await sleep(Math.max(0, plan.periodMs - (performance.now() - asked)), undefined, { signal, ref: false })
  }
}

/** An answer so late says that this machine, or the daemon, stood still meanwhile: it is none, and failures are counted anew (F19). */
const stillMs = 1000

/** Whether it passed; undefined when it could not be asked: it is paused, or became so meanwhile. */
async function ask(container: Container, plan: ProbePlan, signal: AbortSignal): Promise<boolean | undefined> {
  const address = container.addressOf(plan.how.port)
  if (container.state !== 'running' || address === undefined) return undefined
  const why = await askProbe(plan.how, address, plan.timeoutMs, signal)
  return why !== undefined && container.state !== 'running' ? undefined : why === undefined
}

/** No request comes to an instance that is not ready, so that nobody else resumes or pauses it meanwhile. */
async function askAwake(instance: Instance, container: Container, plan: ProbePlan, signal: AbortSignal): Promise<boolean | undefined> {
  await instance.resume(signal)
  try {
    return await ask(container, plan, signal)
  } finally {
    if (!signal.aborted) await instance.pause(signal)
  }
}

function readyLine({ how, container }: ProbePlan): string {
  return `READINESS ${how.kind.toUpperCase()} probe succeeded for container "${container}" on port ${how.port}. The instance takes requests again.`
}
