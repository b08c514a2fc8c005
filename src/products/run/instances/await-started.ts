import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Container } from '../../../engine/engine.ts'
import type { Address } from '../../../router/upstream.ts'
import { defaultStartupSeconds } from '../defaults.ts'
import { askProbe } from './ask-probe.ts'
import { crashed, deafEvidence, officialWords } from './await-listening.ts'
import { count, failureLine, noAnswers, type ProbePlan } from './probes.ts'

/**
 * Asks a container's startup probe until it has succeeded.
 * @param addressOf where a port of the container is reached; undefined while it is not
 * @throws CloudError NOT_LISTENING, in Cloud Run's words, when the probe has failed
 */
export async function awaitStarted(
  container: Container,
  plan: ProbePlan,
  addressOf: (port: number) => Address | undefined,
  signal: AbortSignal,
): Promise<void> {
  await sleep(plan.initialDelayMs, undefined, { signal })
  let tally = noAnswers
  for (;;) {
    const asked = performance.now()
    const address = addressOf(plan.how.port)
    const why = address === undefined ? 'the container has no address' : await askProbe(plan.how, address, plan.timeoutMs, signal)
    tally = count(plan, tally, why === undefined)
    if (tally.verdict === 'succeeded') return
    if (tally.verdict === 'failed') throw await failed(container, plan, tally.inARow, why ?? '', signal)
    await sleep(Math.max(0, plan.periodMs - (performance.now() - asked)), undefined, { signal })
  }
}

/**
 * Watches what starts; ends only with an error, or with `signal`.
 * @param options.port undefined where no request comes
 * @throws CloudError APP_CRASHED when one of `containers` ends; NOT_LISTENING when the port stays open on loopback alone, which Cloud Run would tell
 * only when its four minutes are over (run trap 2)
 */
export async function awaitFault(
  containers: () => readonly Container[],
  options: { readonly port: number | undefined; readonly mayBeLoopback: boolean },
  signal: AbortSignal,
): Promise<never> {
  let looksInside = 0
  for (;;) {
    let isInside = false
    for (const container of containers()) {
      const { state, exitCode, oomKilled, listening } = await container.inspect(signal)
      if (state === 'exited') throw await crashed(container, options.port, exitCode, oomKilled)
      const hosts = listening.filter(({ port }) => port === options.port).map(({ host }) => host)
      isInside = hosts.length > 0 && hosts.every((host) => host.startsWith('127.') || host === '[::1]')
      if (options.port !== undefined && isInside && !options.mayBeLoopback && looksInside * lookMs > patienceMs) {
        const message = `${officialWords(options.port)} It listens on ${hosts.join(', ')} alone.`
        const evidence = await deafEvidence(container, signal)
        throw new CloudError('FAILED_PRECONDITION', message, 'Bind 0.0.0.0:$PORT, not 127.0.0.1.', { fault: 'NOT_LISTENING', evidence })
      }
    }
    looksInside = isInside ? looksInside + 1 : 0
    await sleep(lookMs, undefined, { signal })
  }
}

/** APP_CRASHED when `container` has ended. */
export async function crashOf(container: Container, port: number | undefined, signal: AbortSignal): Promise<CloudError | undefined> {
  const { state, exitCode, oomKilled } = await container.inspect(signal)
  return state === 'exited' ? await crashed(container, port, exitCode, oomKilled) : undefined
}

const lookMs = 250
/** An application may bind loopback first; one that still does after this means it. */
const patienceMs = 5000

async function failed(container: Container, plan: ProbePlan, failures: number, why: string, signal: AbortSignal): Promise<CloudError> {
  const isDefault = plan.timeoutMs === defaultStartupSeconds * 1000
  const message = isDefault ? officialWords(plan.how.port) : 'The user-provided container failed the configured startup probe checks.'
  const next =
    plan.how.kind === 'tcp'
      ? 'Bind 0.0.0.0:$PORT, not 127.0.0.1 and not a fixed port; then devcloud up'
      : 'Make the probe succeed, or give it more time.'
  return new CloudError('FAILED_PRECONDITION', `${message} ${failureLine(plan, failures)}`, next, {
    fault: 'NOT_LISTENING',
    evidence: [`${plan.how.kind} probe: ${why}`, ...(await deafEvidence(container, signal))],
  })
}
