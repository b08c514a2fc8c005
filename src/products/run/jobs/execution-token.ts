import type { Execution } from '../../../api/gen/google/cloud/run/v2/execution_pb.ts'
import type { Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Resources } from '../../../state/resources.ts'
import type { Controller } from './controller.ts'

/** What carries out a job's token: it names an execution that begins when the job is stored. */
export interface TokenWork {
  readonly jobs: Resources<Job>
  readonly executions: Resources<Execution>
  readonly controller: Controller
  /** Begins the execution of this id. */
  begin(job: Job, id: string): Promise<unknown>
  /** The job is ready, or `failure` tells why it is not. */
  setReady(job: Job, failure?: string): void
}

/**
 * Begins the execution that the job's token names, unless there is one, and waits until it has begun or, for `runExecutionToken`, is over.
 * @returns the job as it is then @throws CloudError in the words of the execution's failure
 */
export async function settleToken({ jobs, executions, controller, begin, setReady }: TokenWork, name: string): Promise<Job> {
  const job = jobs.get(name)
  const { case: kind, value: token = '' } = job.createExecution
  const id = `${lastPart(name)}-${token}`
  const execution = `${name}/executions/${id}`
  if (executions.find(execution) === undefined && job.template !== undefined) await begin(job, id)
  await reached(executions, controller, execution, kind === 'runExecutionToken')
  const completed = executions.find(execution)?.conditions.find(({ type }) => type === 'Completed')
  const failure = completed?.state === Condition_State.CONDITION_FAILED ? completed.message : undefined
  const current = jobs.get(name)
  setReady(current, failure)
  await jobs.put(current)
  if (failure !== undefined) throw new CloudError('FAILED_PRECONDITION', failure, `devcloud logs ${lastPart(name)}`)
  return current
}

/** Resolves when the execution has begun or, with `isWhole`, is over. */
async function reached(executions: Resources<Execution>, controller: Controller, name: string, isWhole: boolean): Promise<void> {
  const begun = Promise.withResolvers<void>()
  const unwatch = controller.watch(name, ({ startTime }) => void (startTime !== undefined && begun.resolve()))
  if (executions.find(name)?.startTime !== undefined) begun.resolve()
  const over = controller.over(name)
  await (isWhole ? over : Promise.race([begun.promise, over])).finally(unwatch)
}
