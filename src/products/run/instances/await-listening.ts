import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../../../base/cloud-error.ts'
import { takesConnections } from '../../../base/takes-connections.ts'
import type { Container } from '../../../engine/engine.ts'
import { serviceOf } from './container-labels.ts'

/**
 * Waits until `container` listens on its port: Cloud Run's default startup probe, TCP on $PORT.
 * @throws CloudError APP_CRASHED when it ends first, NOT_LISTENING when `timeoutMs` is over; both with its last lines
 */
export async function waitUntilListening(
  container: Container,
  probe: { readonly port: number; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + probe.timeoutMs
  const first = performance.now()
  let looked = first
  for (;;) {
    signal.throwIfAborted()
    if (container.address !== undefined && (await takesConnections(container.address, 1000))) return
    const now = performance.now()
    if (now - looked > lookMs || now > deadline || container.address === undefined) {
      looked = now
      const status = await container.inspect(signal)
      if (status.state === 'exited') throw await crashed(container, probe.port, status.exitCode, status.oomKilled)
      if (now > deadline) throw await deaf(container, probe, signal)
    }
    await sleep(now - first < 2000 ? 20 : 200, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** How often it is looked at whether it runs at all. */
const lookMs = 100

/** Cloud Run's own words, which gcloud shows and scripts look for. */
export function officialWords(port: number): string {
  return `The user-provided container failed to start and listen on the port defined provided by the PORT=${port} environment variable within the allocated timeout.`
}

/** What a container that ended before it was ready is told as: APP_CRASHED. @param port undefined where none was waited for */
export async function crashed(
  container: Container,
  port: number | undefined,
  exitCode: number | undefined,
  oomKilled: boolean,
): Promise<CloudError> {
  const words = port === undefined ? 'The user-provided container ended before its instance was up.' : officialWords(port)
  const why = oomKilled ? 'was killed for using more than its memory limit' : `exited ${exitCode ?? 'by a signal'}`
  return new CloudError('FAILED_PRECONDITION', `${words} It ${why}.`, `devcloud logs ${serviceOf(container)?.service ?? ''}`.trim(), {
    fault: 'APP_CRASHED',
    evidence: await lastLines(container),
  })
}

async function deaf(
  container: Container,
  probe: { readonly port: number; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<CloudError> {
  return new CloudError(
    'FAILED_PRECONDITION',
    `${officialWords(probe.port)} It runs, but nothing answers on port ${probe.port} after ${Math.round(probe.timeoutMs / 1000)} s.`,
    'Bind 0.0.0.0:$PORT, not 127.0.0.1 and not a fixed port; then: devcloud up',
    { fault: 'NOT_LISTENING', evidence: await deafEvidence(container, signal) },
  )
}

/** Where it does listen, and its last lines. */
export async function deafEvidence(container: Container, signal: AbortSignal): Promise<string[]> {
  const { listening } = await container.inspect(signal)
  const where = listening.map(({ host, port }) => `${host}:${port}`).join(', ')
  return [where === '' ? 'it listens on no port' : `it does listen on ${where}`, ...(await lastLines(container))]
}

async function lastLines(container: Container): Promise<string[]> {
  const lines: string[] = []
  try {
    for await (const line of container.logs({ follow: false, tail: 20 }, AbortSignal.timeout(5000))) lines.push(line.text)
  } catch {
    // the fault itself says more than that its log could not be read
  }
  return lines.slice(-20)
}
