import type { HandlerContext } from '@connectrpc/connect'
import { callerOf } from '../../../api/caller.ts'
import { Executions } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { ExecutionReference_CompletionStatus, Jobs, type Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { Tasks } from '../../../api/gen/google/cloud/run/v2/task_pb.ts'
import type { IamPolicies } from '../../../api/iam-policy.ts'
import { service, type Service } from '../../../api/product.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Container } from '../../../engine/engine.ts'
import { jobKind, readName } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { openController } from './controller.ts'
import { isOver } from './execution-status.ts'
import { openExecutionRows, openExecutions, type ExecutionApi } from './executions.ts'
import { openJobs, type JobApi } from './jobs.ts'
import { scheduleOf, type Schedule } from './schedule.ts'
import { openScheduler } from './scheduler.ts'
import { openTaskRows } from './task-rows.ts'
import { openTasks, type TaskApi } from './tasks.ts'

/** Cloud Run jobs: what is served, and what the daemon asks of them. */
export interface RunJobs extends AsyncDisposable {
  readonly services: readonly Service[]
  /** The methods themselves, for another wire. */
  readonly jobs: JobApi
  readonly executions: ExecutionApi
  readonly tasks: TaskApi
  /** Those of `project`, for people. */
  list(project: string): readonly ListedJob[]
  /** False when nobody wants the container any more. */
  adopt(container: Container): boolean
  /** Goes on with what an earlier daemon, or a stopped engine, left. */
  resume(): Promise<void>
  /** Cancels what runs. */
  stopProject(project: string): Promise<void>
  removeProject(project: string): Promise<void>
  /** Ids of the projects that have some. */
  projects(): readonly string[]
}

export interface ListedJob {
  readonly id: string
  readonly region: string
  /** Of its newest execution: `succeeded`, `running`, ...; `never run` without one. */
  readonly state: string
  readonly schedule?: Schedule
  /** Wall time. Absent for a job that does not run by itself, and while its project is down. */
  readonly nextRunMs?: number
}

export function openRunJobs(needs: RunNeeds, policies: IamPolicies): RunJobs {
  const executionRows = openExecutionRows(needs.state)
  const taskRows = openTaskRows(needs.state)
  const controller = openController(needs, executionRows, taskRows)
  const executions = openExecutions(needs, executionRows, controller)
  const tasks = openTasks(needs, executionRows, taskRows)
  const jobs: JobApi = openJobs(needs, executionRows, controller, executions, () => scheduler.refresh())
  const scheduler = openScheduler(needs, jobs)
  const caller = (context: HandlerContext) => callerOf(context).email
  return {
    services: [
      service(Jobs, {
        createJob: ({ parent, jobId: id, job: sent, validateOnly }, context) =>
          jobs.writes.create({ parent, id, sent, validateOnly }, caller(context)),
        getJob: (request) => jobs.getJob(request),
        listJobs: (request) => jobs.listJobs(request),
        // there is no mask: an update replaces
        updateJob: ({ job: sent, allowMissing, validateOnly }, context) =>
          jobs.writes.update({ sent, mask: [], allowMissing, validateOnly }, caller(context)),
        deleteJob: (request) => jobs.writes.delete(request),
        runJob: (request, context) => jobs.runJob(request, caller(context)),
        ...policies.rpcs((name) => jobs.nameOf(name)),
      }),
      service(Executions, {
        getExecution: (request) => executions.getExecution(request),
        listExecutions: (request) => executions.listExecutions(request),
        deleteExecution: (request) => executions.deleteExecution(request),
        cancelExecution: (request) => executions.cancelExecution(request),
      }),
      service(Tasks, { getTask: (request) => tasks.getTask(request), listTasks: (request) => tasks.listTasks(request) }),
    ],
    jobs,
    executions,
    tasks,
    list: (project) =>
      jobs.all(`projects/${project}`).map((job) => {
        const { region, id } = readName(jobKind, job.name)
        const schedule = scheduleOf(job)
        const nextRunMs = scheduler.nextRunMs(job.name)
        return {
          id,
          region,
          state: stateOf(job),
          ...(schedule !== undefined && { schedule }),
          ...(nextRunMs !== undefined && { nextRunMs }),
        }
      }),
    adopt: (container) => controller.wants(container),
    async resume() {
      await controller.resume((project) => needs.isUp(project))
      for (const { name, key } of needs.operations.left()) {
        if (!key.includes('/executions/')) continue
        needs.operations.resume(name, async (tell) => {
          if (executionRows.find(key) !== undefined) return executions.follow(key, tell)
          throw new CloudError('NOT_FOUND', `Execution '${lastPart(key)}' was deleted.`, 'Run the job again.')
        })
      }
      jobs.resume()
      scheduler.refresh()
    },
    async stopProject(project) {
      scheduler.refresh()
      const running = executionRows.list(`projects/${project}`).filter((execution) => !isOver(execution))
      await Promise.all(running.map(({ name }) => controller.cancel(name)))
    },
    async removeProject(project) {
      const parent = `projects/${project}`
      await jobs.removeAll(parent)
      await controller.cancelAll(`${parent}/`)
      await executionRows.deleteBelow(parent)
    },
    projects: () => [...new Set([...jobs.projects(), ...executionRows.projects()])],
    async [Symbol.asyncDispose]() {
      scheduler[Symbol.dispose]()
      await controller[Symbol.asyncDispose]()
    },
  }
}

const states: Readonly<Record<number, string>> = {
  [ExecutionReference_CompletionStatus.EXECUTION_SUCCEEDED]: 'succeeded',
  [ExecutionReference_CompletionStatus.EXECUTION_FAILED]: 'failed',
  [ExecutionReference_CompletionStatus.EXECUTION_CANCELLED]: 'cancelled',
  [ExecutionReference_CompletionStatus.EXECUTION_RUNNING]: 'running',
}

function stateOf({ latestCreatedExecution: latest }: Job): string {
  return latest === undefined ? 'never run' : (states[latest.completionStatus] ?? 'pending')
}
