import { create } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { ExecutionTemplateSchema } from '../../../../src/api/gen/google/cloud/run/v2/execution_template_pb.ts'
import { ExecutionSchema } from '../../../../src/api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema, RunJobRequest_OverridesSchema } from '../../../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import { attemptSpec } from '../../../../src/products/run/jobs/attempt.ts'
import { decideExecution, type ExecutionPlan, type ObservedTask } from '../../../../src/products/run/jobs/decide.ts'
import { afterAttempt } from '../../../../src/products/run/jobs/retry-task.ts'
import { setStatus } from '../../../../src/products/run/jobs/execution-status.ts'
import { fillJob } from '../../../../src/products/run/jobs/fill-job.ts'
import { withJobDefaults } from '../../../../src/products/run/jobs/job-template.ts'
import { newExecutionId, readTaskName, taskId } from '../../../../src/products/run/jobs/names.ts'
import { checkId, jobKind } from '../../../../src/products/run/names.ts'
import { applyOverrides } from '../../../../src/products/run/jobs/overrides.ts'
import { openSlots } from '../../../../src/products/run/jobs/slots.ts'
import { newTask, type TaskRow } from '../../../../src/products/run/jobs/task-rows.ts'
import { toTask } from '../../../../src/products/run/jobs/to-task.ts'

const wanted = { parallelism: 0, maxRetries: 3, timeoutMs: 600_000, isCancelled: false }
const task = (index: number, state: ObservedTask['state'], more: Partial<ObservedTask> = {}): ObservedTask => ({
  index,
  attempt: 0,
  state,
  startedMs: state === 'running' ? 1000 : 0,
  isStopping: false,
  ...more,
})
const plan = (tasks: readonly ObservedTask[], more: Partial<typeof wanted> = {}, nowMs = 2000) =>
  planLines(decideExecution({ ...wanted, ...more }, tasks, nowMs))

test('every task is started at once without a parallelism, and the next look is at the first timeout', () => {
  expect(plan([task(0, 'running'), task(1, 'waiting'), task(2, 'waiting')])).toEqual([
    'start task 1 attempt 0',
    'start task 2 attempt 0',
    'look again at 601000',
  ])
})

test('run trap 5: a parallelism of 2 starts no third task, whatever waits', () => {
  const five = [0, 1, 2, 3, 4].map((index) => task(index, 'waiting'))
  expect(plan(five, { parallelism: 2 })).toEqual(['start task 0 attempt 0', 'start task 1 attempt 0'])
  const two = five.with(0, task(0, 'running')).with(1, task(1, 'starting'))
  expect(plan(two, { parallelism: 2 })).toEqual(['look again at 601000'])
  expect(plan(two.with(0, task(0, 'running', { isStopping: true })), { parallelism: 2 })).toEqual([]) // it still runs
})

test('run trap 4: first attempts go before retries, and the execution fails only when nothing is left to try', () => {
  const tasks = [task(0, 'waiting', { attempt: 1 }), task(1, 'waiting')]
  expect(plan(tasks, { parallelism: 1 })).toEqual(['start task 1 attempt 0'])
  expect(plan([task(0, 'failed'), task(1, 'waiting')], { parallelism: 1 })).toEqual(['start task 1 attempt 0'])
  expect(plan([task(0, 'failed'), task(1, 'running')])).toEqual(['look again at 601000'])
  expect(plan([task(0, 'failed'), task(1, 'succeeded')])).toEqual(['finish: failed'])
  expect(plan([task(0, 'succeeded'), task(1, 'succeeded')])).toEqual(['finish: succeeded'])
})

test('run trap 6: the timeout is of the attempt, and is told once', () => {
  expect(plan([task(0, 'running')], { timeoutMs: 500 })).toEqual(['stop task 0: timeout'])
  expect(plan([task(0, 'running', { isStopping: true })], { timeoutMs: 500 })).toEqual([])
  expect(plan([task(0, 'running', { startedMs: 1900, attempt: 1 })], { timeoutMs: 500 })).toEqual(['look again at 2400'])
})

test('a cancelled execution stops what runs, starts nothing, and is over when nothing runs', () => {
  const tasks = [task(0, 'running'), task(1, 'waiting'), task(2, 'succeeded')]
  expect(plan(tasks, { isCancelled: true })).toEqual(['stop task 0: cancel', 'cancel task 1'])
  expect(plan([task(0, 'cancelled'), task(2, 'succeeded')], { isCancelled: true })).toEqual(['finish: cancelled'])
})

test('run trap 4: max_retries counts attempts beyond the first', () => {
  expect(afterAttempt(wanted, { attempt: 2 }, { succeeded: false })).toEqual({ state: 'waiting', attempt: 3 })
  expect(afterAttempt(wanted, { attempt: 3 }, { succeeded: false })).toEqual({ state: 'failed', attempt: 3 })
  expect(afterAttempt({ ...wanted, maxRetries: 0 }, { attempt: 0 }, { succeeded: false }).state).toBe('failed')
  expect(afterAttempt({ ...wanted, isCancelled: true }, { attempt: 0 }, { succeeded: false }).state).toBe('cancelled')
})

test('ten thousand tasks are decided on in passing', () => {
  const tasks = Array.from({ length: 10_000 }, (_, index) => task(index, index < 100 ? 'running' : 'waiting'))
  const { start } = decideExecution({ ...wanted, parallelism: 105 }, tasks, 2000)
  expect(start.map(({ index }) => index)).toEqual([100, 101, 102, 103, 104])
})

test('who waits for a slot is told when one is given back', () => {
  const slots = openSlots(1)
  const told: string[] = []
  expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false])
  slots.whenFree(() => told.push('free'))
  slots.release()
  expect(told).toEqual(['free'])
  slots.take()
  expect(slots.tryTake()).toBe(false)
})

const template = (task: object = {}, more: object = {}) =>
  create(ExecutionTemplateSchema, { template: { containers: [{ image: 'job' }], ...task }, ...more })

test('defaults of a job are those of Cloud Run', () => {
  const filled = withJobDefaults(template())
  expect(filled).toMatchObject({ taskCount: 1, parallelism: 0 })
  expect(filled.template).toMatchObject({ retries: { value: 3 }, timeout: { seconds: 600n } })
  expect(filled.template?.containers[0]?.resources?.limits).toEqual({ cpu: '1000m', memory: '512Mi' })
  expect(withJobDefaults(template({ retries: { case: 'maxRetries', value: 0 } })).template?.retries.value).toBe(0)
})

test('what a job cannot be is refused with the field that says it', () => {
  const image = 'job'
  const refusals: readonly (readonly [string, object, object?])[] = [
    ['max_retries: must be from 0 to 10, but is 11', { retries: { case: 'maxRetries', value: 11 } }],
    ['timeout: must be from 1 to 604800 seconds', { timeout: durationFromMs(604_801_000) }],
    ['has no ports', { containers: [{ image, ports: [{ containerPort: 8080 }] }] }],
    ['reserved env names were provided: CLOUD_RUN_TASK_INDEX', { containers: [{ image, env: [{ name: 'CLOUD_RUN_TASK_INDEX' }] }] }],
    ['image: must not be empty', { containers: [{}] }],
    ['should have at least one element', { containers: [] }],
    [
      'The name "a" is given twice',
      {
        containers: [
          { name: 'a', image },
          { name: 'a', image },
        ],
      },
    ],
    ['depends on "db", which is not a container', { containers: [{ image, dependsOn: ['db'] }] }],
    ['must have at most 10 elements, but has 11', { containers: Array.from({ length: 11 }, () => ({ image })) }],
    ['startup_probe.timeout_seconds', { containers: [{ image, startupProbe: { timeoutSeconds: 20 } }] }],
    ['liveness probes of tasks', { containers: [{ image, livenessProbe: {} }] }],
    ['readiness probes of tasks', { containers: [{ image, readinessProbe: {} }] }],
    ['task_count: must be from 1 to 10000', {}, { taskCount: 10_001 }],
    ['parallelism: must not be negative', {}, { parallelism: -1 }],
    ['is in a namespace that version 2 of the API reserves', {}, { annotations: { 'run.googleapis.com/x': 'y' } }],
  ]
  for (const [words, task, more] of refusals) expect(() => withJobDefaults(template(task, more))).toThrow(words)
  const name = 'projects/p/locations/r/jobs/j'
  const sent = (more: object) => create(JobSchema, { template: template(), ...more })
  expect(() => fillJob(sent({ labels: { 'cloud.googleapis.com/location': 'x' } }), name)).toThrow('job.labels')
  expect(() => fillJob(sent({ createExecution: { case: 'runExecutionToken', value: 'x'.repeat(62) } }), name)).toThrow('token')
  expect(fillJob(sent({ labels: { team: 'a' }, uid: 'forged', executionCount: 7 }), name)).toMatchObject({ uid: '', executionCount: 0 })
})

test('overrides replace arguments, merge variables, and replace counts and the timeout', () => {
  const value = (text: string) => ({ case: 'value' as const, value: text })
  const env = [
    { name: 'A', values: value('1') },
    { name: 'B', values: value('2') },
  ]
  const base = withJobDefaults(template({ containers: [{ image: 'job', args: ['a', 'b'], env }] }))
  const overrides = create(RunJobRequest_OverridesSchema, {
    taskCount: 4,
    timeout: durationFromMs(5000),
    containerOverrides: [
      {
        args: ['c'],
        env: [
          { name: 'B', values: value('3') },
          { name: 'C', values: value('4') },
        ],
      },
    ],
  })
  const merged = applyOverrides(base, overrides)
  const container = merged.template?.containers[0]
  expect(merged).toMatchObject({ taskCount: 4, template: { timeout: { seconds: 5n } } })
  expect(container?.args).toEqual(['c'])
  expect(container?.env.map(({ name, values }) => `${name}=${String(values.value)}`)).toEqual(['A=1', 'B=3', 'C=4'])
  expect(base.template?.containers[0]?.args).toEqual(['a', 'b'])
  const cleared = applyOverrides(base, create(RunJobRequest_OverridesSchema, { containerOverrides: [{ clearArgs: true }] }))
  expect(cleared.template?.containers[0]?.args).toEqual([])
  const unknown = create(RunJobRequest_OverridesSchema, { containerOverrides: [{ name: 'x' }] })
  expect(() => applyOverrides(base, unknown)).toThrow('has no container "x"')
})

const execution = () =>
  create(ExecutionSchema, {
    name: 'projects/p/locations/r/jobs/nightly/executions/nightly-abcde',
    uid: crypto.randomUUID(),
    taskCount: 3,
    createTime: { seconds: 1n, nanos: 0 },
    template: withJobDefaults(template()).template ?? {},
  })

test('run trap 3: a task gets its own five variables, and neither a port nor K_*', () => {
  const project = () => ({ id: 'p', number: '123456789012' })
  const spec = attemptSpec({ project }, execution(), { ...newTask(2), attempt: 1, container: 'c' })
  expect(spec.port).toBeUndefined()
  expect(spec.env).toEqual({
    CLOUD_RUN_JOB: 'nightly',
    CLOUD_RUN_EXECUTION: 'nightly-abcde',
    CLOUD_RUN_TASK_INDEX: '2',
    CLOUD_RUN_TASK_ATTEMPT: '1',
    CLOUD_RUN_TASK_COUNT: '3',
  })
})

test('conditions and counters of an execution tell what gcloud waits for', () => {
  const last = { exitCode: 7, signal: 0, message: 'The container exited with an error.', code: 2 }
  const rows: TaskRow[] = [
    { ...newTask(0), state: 'failed', attempt: 3, firstStartedMs: 2000, completedMs: 5000, last },
    { ...newTask(1), state: 'running', firstStartedMs: 2500 },
    newTask(2),
  ]
  const told = execution()
  setStatus(told, rows, undefined, 6000)
  expect(told).toMatchObject({ runningCount: 1, failedCount: 1, retriedCount: 1, reconciling: true, startTime: { seconds: 2n } })
  const types = (state: number) => told.conditions.filter((one) => one.state === state).map(({ type }) => type)
  expect(types(2)).toEqual(['Completed'])
  expect(types(4)).toEqual(['ResourcesAvailable', 'Started', 'ContainerReady', 'Retry'])
  setStatus(told, rows, 'failed', 7000)
  expect(told).toMatchObject({ reconciling: false, completionTime: { seconds: 7n } })
  expect(told.conditions[0]).toMatchObject({
    state: 3,
    message: 'Task nightly-abcde-task0 failed with exit code: 7 and message: The container exited with an error.',
    reasons: { case: 'executionReason', value: 2 },
  })
  const one = toTask(told, rows[0] ?? newTask(0))
  expect(one).toMatchObject({ index: 0, retried: 3, lastAttemptResult: { exitCode: 7, status: { code: 2 } } })
  expect(readTaskName(one.name).task).toBe('nightly-abcde-task0')
  expect(one.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
})

test('names are those of Cloud Run', () => {
  expect(newExecutionId('nightly')).toMatch(/^nightly-[a-z0-9]{5}$/)
  expect(taskId('nightly-abcde', 12)).toBe('nightly-abcde-task12')
  for (const bad of ['1a', 'A', 'a-', '', 'x'.repeat(64)]) expect(() => checkId(jobKind, bad)).toThrow('job_id')
})

/** The plan as text, a line a step. */
function planLines(plan: ExecutionPlan): string[] {
  return [
    ...plan.stop.map(({ index, reason }) => `stop task ${index}: ${reason}`),
    ...plan.cancel.map((index) => `cancel task ${index}`),
    ...plan.start.map(({ index, attempt }) => `start task ${index} attempt ${attempt}`),
    ...(plan.finish === undefined ? [] : [`finish: ${plan.finish}`]),
    ...(plan.wakeMs === undefined ? [] : [`look again at ${plan.wakeMs}`]),
  ]
}
