import type { Container as RunContainer, Probe } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { invalid } from '../invalid.ts'
import { defaultPort, defaultStartupSeconds } from '../defaults.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/** One probe of one container, with every default filled. */
export interface ProbePlan {
  readonly kind: ProbeKind
  /** The container's. */
  readonly container: string
  readonly how: ProbeHow
  readonly initialDelayMs: number
  readonly timeoutMs: number
  readonly periodMs: number
  /** So many in a row, and it has failed. */
  readonly failureThreshold: number
  /** So many in a row, and one that had failed has succeeded again. */
  readonly successThreshold: number
}

export type ProbeHow =
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly port: number; readonly path: string; readonly headers: readonly { name: string; value: string }[] }
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }

/** What the answers so far say. Before the first verdict a probe counts as neither. */
export interface Tally {
  readonly verdict: 'none' | 'succeeded' | 'failed'
  /** Answers of the same kind in a row. */
  readonly inARow: number
  readonly lastPassed: boolean | undefined
}

export const noAnswers: Tally = { verdict: 'none', inARow: 0, lastPassed: undefined }

/** The tally after one more answer. Pure. */
export function count(plan: Pick<ProbePlan, 'failureThreshold' | 'successThreshold'>, before: Tally, passed: boolean): Tally {
  const inARow = before.lastPassed === passed ? before.inARow + 1 : 1
  const successesNeeded = before.verdict === 'failed' ? plan.successThreshold : 1
  const turned = passed ? inARow >= successesNeeded : inARow >= plan.failureThreshold
  const verdict = turned ? (passed ? 'succeeded' : 'failed') : before.verdict
  return { verdict, inARow, lastPassed: passed }
}

/** Cloud Run's when a container with a port names none: 240 s to listen (run trap 42). */
export function defaultStartupProbe(container: string, port: number): ProbePlan {
  const how = { kind: 'tcp', port } as const
  return {
    kind: 'startup',
    container,
    how,
    initialDelayMs: 0,
    timeoutMs: defaultStartupSeconds * 1000,
    periodMs: defaultStartupSeconds * 1000,
    failureThreshold: 1,
    successThreshold: 1,
  }
}

/**
 * The probe of this kind that `container` names, if it does.
 * @param port what is asked when the probe names no port
 */
export function probeOf(kind: ProbeKind, container: RunContainer, port: number | undefined): ProbePlan | undefined {
  const probe = kind === 'startup' ? container.startupProbe : kind === 'liveness' ? container.livenessProbe : container.readinessProbe
  if (probe === undefined) return undefined
  return {
    kind,
    container: container.name,
    how: howOf(probe, port ?? defaultPort),
    initialDelayMs: probe.initialDelaySeconds * 1000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1000,
    periodMs: (probe.periodSeconds || 10) * 1000,
    failureThreshold: probe.failureThreshold || 3,
    successThreshold: kind === 'readiness' ? 2 : 1,
  }
}

/** The ports that probes of these containers ask. */
export function probedPorts(containers: readonly RunContainer[]): readonly number[] {
  const kinds = ['startup', 'liveness', 'readiness'] as const
  const plans = containers.flatMap((container) => kinds.map((kind) => probeOf(kind, container, container.ports[0]?.containerPort)))
  return [...new Set(plans.flatMap((plan) => plan?.how.port ?? []))]
}

function howOf({ probeType }: Probe, port: number): ProbeHow {
  if (probeType.case === 'httpGet') {
    const { path, httpHeaders: headers, port: own } = probeType.value
    return { kind: 'http', port: own || port, path: path || '/', headers }
  }
  if (probeType.case === 'grpc') return { kind: 'grpc', port: probeType.value.port || port, service: probeType.value.service }
  return { kind: 'tcp', port: (probeType.case === 'tcpSocket' && probeType.value.port) || port }
}

/** Cloud Run's line of the log: `LIVENESS HTTP probe failed 3 times consecutively for container "app" on port 8080. ...` */
export function failureLine({ kind, how, container }: ProbePlan, failures: number): string {
  const outcome = kind === 'startup' ? 'The instance was not started.' : kind === 'liveness' ? 'The instance has been shut down.' : ''
  const times = failures === 1 ? '1 time' : `${failures} times`
  return `${kind.toUpperCase()} ${how.kind.toUpperCase()} probe failed ${times} consecutively for container "${container}" on port ${how.port}. ${outcome}`.trim()
}

/**
 * Limits of Cloud Run's probes. `field` is where the container stands: `template.containers[0]`.
 * @throws CloudError INVALID_ARGUMENT
 */
export function checkProbes(container: RunContainer, field: string): void {
  for (const kind of ['startup', 'liveness', 'readiness'] as const) {
    const plan = probeOf(kind, container, undefined)
    if (plan !== undefined) checkPlan(plan, `${field}.${kind}_probe`)
  }
  if (container.livenessProbe?.probeType.case === 'tcpSocket') {
    throw invalid(`${field}.liveness_probe: must be an HTTP or a gRPC probe.`, 'Use httpGet, or grpc; tcpSocket is for startup probes.')
  }
}

/** @throws CloudError INVALID_ARGUMENT for what is no port. 0 stands for one that is not named. */
export function checkPort(port: number, field: string): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return
  throw invalid(`${field}: must be between 1 and 65535, inclusive, but is ${port}.`, 'Choose such a port.')
}

function checkPlan(plan: ProbePlan, field: string): void {
  checkPort(plan.how.port, `${field}.${plan.how.kind === 'tcp' ? 'tcp_socket' : plan.how.kind === 'http' ? 'http_get' : 'grpc'}.port`)
  const longest = plan.kind === 'startup' ? defaultStartupSeconds : 3600
  const [delay, timeout, period] = [plan.initialDelayMs / 1000, plan.timeoutMs / 1000, plan.periodMs / 1000]
  const refuse = (part: string, message: string, next: string) => {
    throw invalid(`${field}.${part}: ${message}`, next)
  }
  if (delay < 0 || delay > longest) refuse('initial_delay_seconds', `must be between 0 and ${longest}, inclusive.`, 'Wait less.')
  if (period < 1 || period > longest) refuse('period_seconds', `must be between 1 and ${longest}, inclusive.`, 'Choose such a period.')
  if (timeout < 1 || timeout > longest) refuse('timeout_seconds', `must be between 1 and ${longest}, inclusive.`, 'Choose such a timeout.')
  if (timeout > period) refuse('timeout_seconds', 'must be less than period_seconds.', `Give at most ${period}.`)
  if (plan.failureThreshold < 1) refuse('failure_threshold', 'must be at least 1.', 'Choose such a threshold.')
  if (plan.kind === 'startup' && plan.failureThreshold * period > longest) {
    refuse('failure_threshold', `failure_threshold * period_seconds must be at most ${longest} seconds.`, 'Lower one of them.')
  }
}
