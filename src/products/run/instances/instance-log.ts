import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError, messageOf } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Container, ContainerEnd } from '../../../engine/engine.ts'
import type { PoolEvent } from '../../../router/pool/revision-pool.ts'
import { defaultLimits, graceMs } from '../defaults.ts'
import type { RunNeeds } from '../needs.ts'
import { serviceOf } from './container-labels.ts'
import { ingressOf } from './instance-spec.ts'

/** How many of its last lines are kept of an instance that is removed. */
const keptLines = 2000

type Severity = 'INFO' | 'WARNING' | 'ERROR'

/** What Cloud Run itself says of a revision's instances, beside what they print: its log varlog/system. */
export interface SystemLine {
  readonly severity: Severity
  readonly text: string
  /** The instance's id, when it is about one. */
  readonly instance?: string
}

/** Adds a line of ours to the log of `revision`. */
export function tellSystem(needs: RunNeeds, revision: Revision, { severity, text, instance = '' }: SystemLine): void {
  const [, project = '', , , , service = ''] = revision.name.split('/')
  needs.containerLog.add({
    timeMs: needs.clock.nowMs(),
    project,
    resource: 'cloud_run_revision',
    owner: service,
    run: lastPart(revision.name),
    instance,
    stream: 'system',
    text: JSON.stringify({ severity, message: text }),
  })
}

/** Keeps the last lines of a container that is about to be removed. One that is gone already has none. */
export async function keepLines(needs: RunNeeds, container: Container): Promise<void> {
  const { service = '', revision = '' } = serviceOf(container) ?? {}
  const of = { project: container.project, resource: 'cloud_run_revision', owner: service, run: revision, instance: container.id } as const
  try {
    for await (const { timeMs, stream, text } of container.logs({ follow: false, tail: keptLines }, AbortSignal.timeout(10_000)))
      needs.containerLog.add({ ...of, timeMs, stream, text })
  } catch (error) {
    needs.log.info({ err: error, container: container.name }, 'its last lines could not be kept')
  }
}

/** Words of cloud.google.com/run/docs/about-instance-autoscaling#instance-start-reasons */
const startReasons = {
  requests:
    'AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU utilization, request throughput, etc.) or no existing capacity for current traffic.',
  minimum: 'MANUAL_OR_CUSTOMER_MIN_INSTANCE - Instance started because of customer-configured min-instances or manual scaling.',
  deployment:
    'DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions due to deployment, traffic split adjustment, or deployment health check.',
} as const

/** What is told of what a pool does. Pure. */
export function poolLines(event: PoolEvent): readonly SystemLine[] {
  switch (event.kind) {
    case 'starting':
      return [{ severity: 'INFO', text: `Starting new instance. Reason: ${startReasons[event.reason]}` }]
    case 'stopping': {
      const why = event.reason === 'idle' ? 'it was idle' : 'its revision takes no more requests'
      return [{ severity: 'INFO', text: `Shutting down instance: ${why}.`, instance: event.instance }]
    }
    case 'refused': {
      const severity = event.code === 'RESOURCE_EXHAUSTED' ? 'WARNING' : 'ERROR'
      return [{ severity, text: 'The request was aborted because there was no available instance.' }]
    }
    case 'failed': {
      const evidence = event.error instanceof CloudError ? event.error.evidence : []
      const next = event.retryMs > 0 ? ` The next one starts in ${Math.ceil(event.retryMs / 1000)} s at the earliest.` : ''
      return [
        ...evidence.map((text): SystemLine => ({ severity: 'INFO', text: `| ${text}` })),
        { severity: 'ERROR', text: `${messageOf(event.error)}${next}` },
      ]
    }
  }
}

/** What is told of a container that ended by itself (run traps 16, 17). Pure. */
export function endLines(end: Pick<ContainerEnd, 'id' | 'exitCode' | 'oomKilled'>, revision: Revision): readonly SystemLine[] {
  const instance = end.id
  if (end.oomKilled) {
    const memory = ingressOf(revision)?.resources?.limits['memory'] ?? defaultLimits.memory
    return [
      {
        severity: 'ERROR',
        text: `Memory limit of ${memory} exceeded. Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits`,
        instance,
      },
      {
        severity: 'ERROR',
        text: 'While handling this request, the container instance was found to be using too much memory and was terminated. This is likely to cause a new container instance to be used for the next request to this revision.',
        instance,
      },
    ]
  }
  const text = end.exitCode > 128 ? `Uncaught signal: ${end.exitCode - 128}.` : `Container called exit(${end.exitCode}).`
  return [{ severity: 'WARNING', text, instance }]
}

/** F28: one line for an application that does not end by SIGTERM. */
export function killedLine(container: Container): SystemLine {
  const text =
    `The container did not end within ${graceMs / 1000} s of SIGTERM and was killed. ` +
    'Where a shell is its first process the signal does not get through: start the application with exec, or as the command itself.'
  return { severity: 'WARNING', text, instance: container.id }
}
