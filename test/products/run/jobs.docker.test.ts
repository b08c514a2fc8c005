import { execFileSync } from 'node:child_process'
import { ExecutionsClient, JobsClient, TasksClient, type protos } from '@google-cloud/run'
import { credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from './given-run.ts'

type Job = protos.google.cloud.run.v2.IJob

let given: GivenRun
let jobs: JobsClient
let executions: ExecutionsClient
let tasks: TasksClient

beforeAll(async () => {
  given = await givenRun()
  const options = { apiEndpoint: 'localhost', port: given.house.gateway.port, sslCreds: credentials.createInsecure() }
  jobs = new JobsClient(options)
  executions = new ExecutionsClient(options)
  tasks = new TasksClient(options)
})
afterAll(async () => {
  await Promise.all([jobs.close(), executions.close(), tasks.close()])
  await given[Symbol.asyncDispose]()
})

/** A job whose task runs `script` in sh. */
function job(script: string, task: object = {}, template: object = {}): Job {
  const containers = [{ image: 'debian:bookworm-slim', command: ['sh', '-c', script, 'sh'] }]
  return { template: { ...template, template: { containers, ...task } } }
}

async function create(jobId: string, told: Job): Promise<string> {
  const [operation] = await jobs.createJob({ parent: given.parent, jobId, job: told })
  const [made] = await operation.promise()
  return made.name ?? ''
}

/** Runs it to its end, which may be a failure. */
async function run(name: string, overrides?: object) {
  const [operation] = await jobs.runJob({ name, ...(overrides !== undefined && { overrides }) })
  const failure = await operation.promise().then(
    () => undefined,
    (error: Error) => error.message,
  )
  const [latest] = await jobs.getJob({ name })
  const [execution] = await executions.getExecution({ name: `${name}/executions/${latest.latestCreatedExecution?.name ?? ''}` })
  return { execution, failure }
}

const linesOf = (jobId: string) =>
  given.house.foundation.containerLog.tail({ project: given.project, owner: jobId }, 1000).map(({ text }) => text)

test('run trap 3: a task sees its own variables and no PORT, and its attempts count up until one succeeds', async () => {
  const name = await create(
    'retries',
    job('env | grep -E "^(CLOUD_RUN|PORT|K_)" | sort | tr "\\n" " "; echo; [ "$CLOUD_RUN_TASK_ATTEMPT" = 2 ]', {}, { taskCount: 2 }),
  )
  const { execution, failure } = await run(name)
  expect(failure).toBeUndefined()
  expect(execution).toMatchObject({ succeededCount: 2, failedCount: 0, retriedCount: 2, reconciling: false })
  const id = execution.name?.split('/').at(-1) ?? ''
  const expected = [0, 1].flatMap((index) =>
    [0, 1, 2].map(
      (attempt) =>
        `CLOUD_RUN_EXECUTION=${id} CLOUD_RUN_JOB=retries CLOUD_RUN_TASK_ATTEMPT=${attempt} CLOUD_RUN_TASK_COUNT=2 CLOUD_RUN_TASK_INDEX=${index} `,
    ),
  )
  expect(linesOf('retries').toSorted()).toEqual(expected.toSorted())
  const [listed] = await tasks.listTasks({ parent: execution.name ?? '' })
  expect(listed.map(({ index, retried }) => [index, retried])).toEqual([
    [0, 2],
    [1, 2],
  ])
})

test('run trap 4: an execution fails only after every task was tried, by its own count of retries', async () => {
  const name = await create(
    'fails',
    job(
      'echo "task $CLOUD_RUN_TASK_INDEX"; [ "$CLOUD_RUN_TASK_INDEX" != 0 ] || exit 7',
      { maxRetries: 0 },
      { taskCount: 3, parallelism: 1 },
    ),
  )
  const { execution, failure } = await run(name)
  expect(linesOf('fails').toSorted()).toEqual(['task 0', 'task 1', 'task 2'])
  expect(execution).toMatchObject({ succeededCount: 2, failedCount: 1, retriedCount: 0 })
  expect(execution.conditions?.[0]).toMatchObject({ type: 'Completed', state: 'CONDITION_FAILED', executionReason: 'NON_ZERO_EXIT_CODE' })
  expect(failure).toContain('failed with exit code: 7')
  const [failed] = await tasks.getTask({ name: `${execution.name ?? ''}/tasks/${execution.name?.split('/').at(-1) ?? ''}-task0` })
  expect(failed.lastAttemptResult).toMatchObject({ exitCode: 7 })
  const [told] = await jobs.getJob({ name })
  expect(told).toMatchObject({ executionCount: 1, latestCreatedExecution: { completionStatus: 'EXECUTION_FAILED' } })
})

test('run trap 5: with a parallelism of 2, five tasks never make three containers at a time', async () => {
  const name = await create('narrow', job('sleep 1.5', {}, { taskCount: 5, parallelism: 2 }))
  const over = new AbortController()
  const seen: number[] = []
  const watching = (async () => {
    while (!over.signal.aborted) {
      const filters = ['--filter', 'label=dev.devcloud.label.job=narrow', '--filter', `label=dev.devcloud.project=${given.project}`]
      seen.push(
        execFileSync('docker', ['ps', '-q', ...filters], { encoding: 'utf8' })
          .split('\n')
          .filter(Boolean).length,
      )
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const { execution } = await run(name)
  over.abort()
  await watching
  expect(execution).toMatchObject({ succeededCount: 5 })
  expect(Math.max(...seen)).toBe(2)
})

test('run trap 6: the timeout is of each attempt: SIGTERM, ten seconds, SIGKILL', async () => {
  const script =
    'trap "echo TERM \\$(date +%s%3N)" TERM; echo "start $(date +%s%3N)"; while true; do echo "at $(date +%s%3N)"; sleep 0.2; done'
  const name = await create('late', job(script, { maxRetries: 1, timeout: { seconds: 2 } }))
  const { execution, failure } = await run(name)
  expect(failure).toContain('timeout')
  expect(execution).toMatchObject({ failedCount: 1, retriedCount: 1 })
  const lines = given.house.foundation.containerLog.tail({ project: given.project, owner: 'late' }, 1000)
  const attempts = Map.groupBy(lines, ({ instance }) => instance)
  expect([...attempts.keys()]).toEqual(['0/0', '0/1'])
  for (const attempt of attempts.values()) {
    const at = (word: string) => Number(attempt.findLast(({ text }) => text.startsWith(word))?.text.split(' ')[1])
    expect(at('TERM') - at('start')).toBeGreaterThanOrEqual(1500)
    expect(at('at') - at('TERM')).toBeGreaterThanOrEqual(9000) // it went on until SIGKILL
  }
}, 120_000)

test('a cancelled execution stops its tasks, and RunJob answers it', async () => {
  const name = await create('endless', job('trap "echo bye; exit 0" TERM; echo on; while true; do sleep 0.1; done', {}, { taskCount: 2 }))
  const [operation] = await jobs.runJob({ name })
  const executionName = (operation.metadata as protos.google.cloud.run.v2.IExecution).name ?? ''
  await eventually('both tasks run', async () => (await executions.getExecution({ name: executionName }))[0].runningCount === 2)
  const [cancellation] = await executions.cancelExecution({ name: executionName })
  const [cancelled] = await cancellation.promise()
  expect(cancelled).toMatchObject({ cancelledCount: 2, conditions: [{ executionReason: 3 }, {}, {}, {}] })
  const [answer] = await operation.promise()
  expect(answer.cancelledCount).toBe(2)
  expect(linesOf('endless').toSorted()).toEqual(['bye', 'bye', 'on', 'on'])
  await expect(executions.cancelExecution({ name: executionName })).rejects.toMatchObject({ code: 9 })
})

test('overrides of a run change arguments, variables and counts of that execution alone', async () => {
  const name = await create('given', job('echo "$@ $WHO"'))
  const containerOverrides = [{ args: ['hello'], env: [{ name: 'WHO', value: 'world' }] }]
  const { execution } = await run(name, { containerOverrides, taskCount: 2 })
  expect(execution).toMatchObject({ taskCount: 2, succeededCount: 2 })
  expect(linesOf('given')).toEqual(['hello world', 'hello world'])
  await run(name)
  expect(linesOf('given').at(-1)).toBe(' ')
})

test('an image that is not there fails the task with the reason, after its retries', async () => {
  const name = await create('absent', { template: { template: { containers: [{ image: 'nowhere.invalid/none:1' }], maxRetries: 1 } } })
  const { execution, failure } = await run(name)
  expect(failure).toContain('nowhere.invalid/none:1')
  expect(execution).toMatchObject({ failedCount: 1, retriedCount: 1 })
})
