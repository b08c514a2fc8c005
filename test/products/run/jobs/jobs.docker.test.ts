import { execFileSync } from 'node:child_process'
import { ExecutionsClient, JobsClient, TasksClient, type protos } from '@google-cloud/run'
import { credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { down } from '../../../../src/daemon/down.ts'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

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

test.concurrent('run trap 3: a task sees its own variables and no PORT, and its attempts count up until one succeeds', async () => {
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

test.concurrent('run trap 4: an execution fails only after every task was tried, by its own count of retries', async () => {
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

test.concurrent('run trap 5: with a parallelism of 2, five tasks never make three containers at a time', async () => {
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

test.concurrent('run trap 6: the timeout is of each attempt: SIGTERM, ten seconds, SIGKILL', async () => {
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

test.concurrent('a cancelled execution stops its tasks, and RunJob answers it', async () => {
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

test.concurrent('overrides of a run change arguments, variables and counts of that execution alone', async () => {
  const name = await create('given', job('echo "$@ $WHO"'))
  const containerOverrides = [{ args: ['hello'], env: [{ name: 'WHO', value: 'world' }] }]
  const { execution } = await run(name, { containerOverrides, taskCount: 2 })
  expect(execution).toMatchObject({ taskCount: 2, succeededCount: 2 })
  expect(linesOf('given')).toEqual(['hello world', 'hello world'])
  await run(name)
  expect(linesOf('given').at(-1)).toBe(' ')
})

test.concurrent('an image that is not there fails the task with the reason, after its retries', async () => {
  const name = await create('absent', { template: { template: { containers: [{ image: 'nowhere.invalid/none:1' }], maxRetries: 1 } } })
  const { execution, failure } = await run(name)
  expect(failure).toContain('nowhere.invalid/none:1')
  expect(execution).toMatchObject({ failedCount: 1, retriedCount: 1 })
})

const parentOfAll = () => `${given.parent}/jobs/-`

test('run trap 33: a job is ready at its generation at once, and each update makes a new one', async () => {
  const name = await create('counted', job('true'))
  const [first] = await jobs.getJob({ name })
  expect(first).toMatchObject({ generation: '1', observedGeneration: '1', reconciling: false, creator: 'you@devcloud.local' })
  expect(first.terminalCondition).toMatchObject({ type: 'Ready', state: 'CONDITION_SUCCEEDED' })
  const [operation] = await jobs.updateJob({ job: { name, ...job('false') } })
  await operation.promise()
  const [second] = await jobs.getJob({ name })
  expect(second).toMatchObject({ generation: '2', observedGeneration: '2', uid: first.uid, createTime: first.createTime })
  expect(second.etag).not.toBe(first.etag)
})

test('run trap 34: an etag of an older version is refused, ABORTED and 409, by update, run, cancel and delete', async () => {
  const name = await create('tagged', job('true'))
  const etag = '"stale"'
  await expect(jobs.updateJob({ job: { name, etag, ...job('true') } })).rejects.toMatchObject({ code: 10 })
  await expect(jobs.runJob({ name, etag })).rejects.toMatchObject({ code: 10 })
  await expect(jobs.deleteJob({ name, etag })).rejects.toMatchObject({ code: 10 })
  const [{ etag: current = '' }] = await jobs.getJob({ name })
  const [operation] = await jobs.runJob({ name, etag: current ?? '' })
  const [execution] = await operation.promise()
  await expect(executions.deleteExecution({ name: execution.name ?? '', etag })).rejects.toMatchObject({ code: 10 })
  await expect(given.call('DELETE', `${name}?etag=${etag}`)).rejects.toMatchObject({ code: 'ABORTED' })
  await expect(jobs.createJob({ parent: given.parent, jobId: 'tagged', job: job('true') })).rejects.toMatchObject({ code: 6 })
})

test('run trap 35: an update replaces the job whole, and makes one that is missing only when asked', async () => {
  const { template } = job('true')
  const labelled = { labels: { team: 'a' }, template: { ...template, taskCount: 4 } }
  const name = await create('replaced', labelled)
  await (await jobs.updateJob({ job: { name, ...job('true') } }))[0].promise()
  const [replaced] = await jobs.getJob({ name })
  expect(replaced).toMatchObject({ labels: {}, template: { taskCount: 1 } })
  const missing = `${given.parent}/jobs/not-yet`
  await expect(jobs.updateJob({ job: { name: missing, ...job('true') } })).rejects.toMatchObject({ code: 5 })
  const [operation] = await jobs.updateJob({ job: { name: missing, ...job('true') }, allowMissing: true })
  await operation.promise()
  expect((await jobs.getJob({ name: missing }))[0].generation).toBe('1')
})

test('run trap 36: over REST numbers of 64 bits are strings, and executions are where gcloud asks for them', async () => {
  const body = { template: { template: { containers: [{ image: 'debian:bookworm-slim', command: ['true'] }] } } }
  const made = await given.call('POST', `${given.parent}/jobs?jobId=rest`, body)
  expect(made).toMatchObject({ name: `${given.parent}/jobs/rest`, generation: '1', observedGeneration: '1' })
  const execution = await given.call('POST', `${given.parent}/jobs/rest:run`, {})
  expect(execution).toMatchObject({ succeededCount: 1, job: 'rest', observedGeneration: '1' })
  const listed = await given.call('GET', `${given.parent}/jobs/rest/executions`)
  expect(listed['executions']).toMatchObject([{ name: execution['name'] }])
  const tasksOfIt = await given.call('GET', `${String(execution['name'])}/tasks`)
  expect(tasksOfIt['tasks']).toMatchObject([{ name: expect.stringMatching(/\/tasks\/rest-[a-z0-9]{5}-task0$/) }])
  const number = given.house.foundation.projects.get(given.project).number
  const byNumber = await given.call('GET', `projects/${number}/locations/us-central1/jobs/rest`)
  expect(byNumber['name']).toBe(`${given.parent}/jobs/rest`)
})

test('run trap 37: what is only validated is answered with defaults and stored nowhere', async () => {
  const [dry] = await jobs.createJob({ parent: given.parent, jobId: 'dry', job: job('true'), validateOnly: true })
  const [told] = await dry.promise()
  expect(told.template).toMatchObject({ taskCount: 1, template: { maxRetries: 3 } })
  await expect(jobs.getJob({ name: `${given.parent}/jobs/dry` })).rejects.toMatchObject({ code: 5 })
  const name = await create('wet', job('true'))
  await jobs.updateJob({ job: { name, labels: { a: 'b' }, ...job('true') }, validateOnly: true })
  await jobs.runJob({ name, validateOnly: true })
  await jobs.deleteJob({ name, validateOnly: true })
  const [kept] = await jobs.getJob({ name })
  expect(kept).toMatchObject({ labels: {}, generation: '1', executionCount: 0, latestCreatedExecution: null })
  expect((await executions.listExecutions({ parent: name }))[0]).toEqual([])
})

test('jobs, executions and tasks are listed newest first and in pages', async () => {
  const name = await create('listed', job('true', {}, { taskCount: 3 }))
  const ids: string[] = []
  for (let i = 0; i < 2; i++) ids.unshift((await run(name)).execution.name ?? '')
  const names = async (request: object) => (await executions.listExecutions(request))[0].map((execution) => execution.name)
  expect(await names({ parent: name })).toEqual(ids)
  expect((await names({ parent: parentOfAll() })).slice(0, 2)).toEqual(ids)
  const [page, , answer] = await tasks.listTasks({ parent: `${name}/executions/-`, pageSize: 4 }, { autoPaginate: false })
  expect(page.length).toBe(4)
  expect(page[3]?.name).toContain(`${ids[1]}/tasks/`)
  const [rest] = await tasks.listTasks(
    { parent: `${name}/executions/-`, pageSize: 4, pageToken: answer?.nextPageToken ?? '' },
    { autoPaginate: false },
  )
  expect(rest.map(({ index }) => index)).toEqual([1, 2])
  const [all] = await jobs.listJobs({ parent: given.parent })
  expect(all[0]?.name).toBe(name)
})

test('a job that is deleted takes its executions along, those that run too', async () => {
  const name = await create('gone', job('trap "exit 0" TERM; while true; do sleep 0.1; done'))
  const [operation] = await jobs.runJob({ name })
  const execution = (operation.metadata as protos.google.cloud.run.v2.IExecution).name ?? ''
  await eventually('it runs', async () => (await executions.getExecution({ name: execution }))[0].runningCount === 1)
  const [deletion] = await jobs.deleteJob({ name })
  const [deleted] = await deletion.promise()
  expect(deleted.deleteTime).not.toBeNull()
  await expect(jobs.getJob({ name })).rejects.toMatchObject({ code: 5, details: expect.stringContaining("of kind 'JOB'") })
  await expect(executions.getExecution({ name: execution })).rejects.toMatchObject({ code: 5 })
})

test('a job with a token is ready when the execution of that name is over, and fails with it', async () => {
  const [operation] = await jobs.createJob({ parent: given.parent, jobId: 'once', job: { ...job('true'), runExecutionToken: 'v1' } })
  const [ready] = await operation.promise()
  expect(ready).toMatchObject({ executionCount: 1, latestCreatedExecution: { name: 'once-v1' }, terminalCondition: { state: 4 } })
  const failing = { name: ready.name ?? '', ...job('exit 3', { maxRetries: 0 }), runExecutionToken: 'v2' }
  const [update] = await jobs.updateJob({ job: failing })
  await expect(update.promise()).rejects.toMatchObject({ message: expect.stringContaining('failed with exit code: 3') })
  const [told] = await jobs.getJob({ name: ready.name ?? '' })
  expect(told.terminalCondition).toMatchObject({ type: 'Ready', state: 'CONDITION_FAILED' })
})

test('a job has an IAM policy of its own', async () => {
  const resource = await create('guarded', job('true'))
  const bindings = [{ role: 'roles/run.invoker', members: ['user:a@example.com'] }]
  await jobs.setIamPolicy({ resource, policy: { bindings } })
  const [policy] = await jobs.getIamPolicy({ resource })
  expect(policy.bindings).toMatchObject(bindings)
  await expect(jobs.getIamPolicy({ resource: `${resource}x` })).rejects.toMatchObject({ code: 5 })
})

test('a container that somebody removes is a failed attempt, which is tried again', async () => {
  const name = await create('robbed', job('until [ "$CLOUD_RUN_TASK_ATTEMPT" = 1 ]; do sleep 0.1; done'))
  const [operation] = await jobs.runJob({ name })
  const filters = ['--filter', 'label=dev.devcloud.label.job=robbed', '--filter', `label=dev.devcloud.project=${given.project}`]
  const container = await eventually(
    'it runs',
    () => execFileSync('docker', ['ps', '-q', ...filters], { encoding: 'utf8' }).trim() || undefined,
  )
  execFileSync('docker', ['rm', '-f', container], { stdio: 'ignore' })
  const [execution] = await operation.promise()
  expect(execution).toMatchObject({ succeededCount: 1, retriedCount: 1 })
})

test('devcloud down cancels what runs, and leaves the job', async () => {
  const name = await create('downed', job('trap "exit 0" TERM; while true; do sleep 0.1; done'))
  const [operation] = await jobs.runJob({ name })
  const execution = (operation.metadata as protos.google.cloud.run.v2.IExecution).name ?? ''
  await eventually('it runs', async () => (await executions.getExecution({ name: execution }))[0].runningCount === 1)
  await down(given.house, given.project, () => {})
  const [told] = await executions.getExecution({ name: execution })
  expect(told).toMatchObject({ cancelledCount: 1, runningCount: 0 })
  const { projects } = given.house.foundation
  await projects.put({ ...projects.get(given.project), isUp: true })
  expect((await jobs.getJob({ name }))[0].latestCreatedExecution).toMatchObject({ completionStatus: 'EXECUTION_CANCELLED' })
})
