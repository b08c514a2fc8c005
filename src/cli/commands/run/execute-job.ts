import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../../../base/cloud-error.ts'
import type { LogEvent } from '../../../daemon/control-protocol.ts'
import type { ExecutionStatus } from './job-rows.ts'
import { collectionUrl, type Knative } from './knative.ts'
import { executionKind, jobKind } from './resource-kinds.ts'
import type { Progress } from './progress.ts'
import type { Scope } from './scope.ts'

/** Starts an execution of a job. @returns it as it is then */
export async function startExecution(scope: Scope, job: string, overrides: object | undefined): Promise<Knative> {
  const url = `${collectionUrl(scope, jobKind)}/${encodeURIComponent(job)}:run`
  return (await scope.api.call('POST', url, overrides === undefined ? {} : { overrides })) as Knative
}

/** Waits until every task of an execution has ended. @throws CloudError TASKS_FAILED with its last log lines */
export function waitForExecution(scope: Scope, job: string, started: Knative, progress: Progress): Promise<Knative> {
  const { name } = started.metadata
  const { taskCount = 1 } = started['spec'] as { readonly taskCount?: number }
  const url = `${collectionUrl(scope, executionKind)}/${name}`
  return progress.step(`execution ${name}`, async (detail) => {
    for (;;) {
      const execution = (await scope.api.call('GET', url)) as Knative
      const { succeededCount = 0, failedCount = 0 } = (execution.status ?? {}) as ExecutionStatus
      detail(`${succeededCount} / ${taskCount} complete${failedCount > 0 ? `, ${failedCount} failed` : ''}`)
      const completed = execution.status?.conditions?.find(({ type }) => type === 'Completed')
      if (completed?.status === 'True') return execution
      if (completed?.status === 'False') {
        throw new CloudError(
          'FAILED_PRECONDITION',
          completed.message ?? 'The execution failed.',
          `devcloud run jobs executions tasks list --execution=${name}`,
          {
            fault: 'TASKS_FAILED',
            evidence: await lastLines(scope, job, name),
          },
        )
      }
      await sleep(200)
    }
  })
}

async function lastLines({ client, project }: Scope, job: string, execution: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ project, service: job, tail: '200', follow: 'false' })
  const lines: string[] = []
  const take = (event: LogEvent) => void (event.kind === 'log' && event.revision === execution && lines.push(event.text))
  await client.stream<LogEvent>(`/logs?${query}`, undefined, take).catch(() => {})
  return lines.slice(-10)
}
