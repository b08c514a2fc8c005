import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Step } from '../../src/api/product-plan.ts'
import type { UpEvent } from '../../src/daemon/control-protocol.ts'
import { inOrder, networkId, predecessors, runSteps, type RunnableStep } from '../../src/daemon/run-steps.ts'

const step = (id: string, stage: Step['stage'], ...after: readonly string[]): Step => ({ id, name: id.replace(':', ' '), stage, after })
const plan = [
  step('service:web', 'workload', 'build:web'),
  step('build:web', 'build'),
  step('sql:main', 'resource', 'secret:db'),
  step('secret:db', 'resource'),
  step('bucket:b', 'resource'),
  step(networkId, 'resource'),
  step('job:nightly', 'workload', 'build:web', 'build:none'),
]

test('builds wait for nothing, resources for the network, workloads for resources and for what they name', () => {
  const text = plan.map((one) => `${one.id} < ${predecessors(one, plan).join(' ')}`.trim())
  expect(text).toEqual([
    'service:web < sql:main secret:db bucket:b network build:web',
    'build:web <',
    'sql:main < network secret:db',
    'secret:db < network',
    'bucket:b < network',
    'network <',
    'job:nightly < sql:main secret:db bucket:b network build:web',
  ])
  expect(inOrder(plan).map(({ id }) => id)).toEqual([
    'build:web',
    'network',
    'secret:db',
    'bucket:b',
    'sql:main',
    'service:web',
    'job:nightly',
  ])
})

test('steps that wait for each other are told, not waited for', () => {
  expect(() => inOrder([step('a', 'build', 'b'), step('b', 'build', 'a')])).toThrow('steps wait for each other: a, b')
})

/** @param fails the id of the step that throws */
async function carryOut(fails?: string) {
  const log: string[] = []
  const events: UpEvent[] = []
  const runnable = plan.map((one): RunnableStep => ({
    ...one,
    async run(signal) {
      log.push(`+${one.id}`)
      if (one.id === fails) throw new Error(`no ${one.id}`)
      await sleep(5, undefined, { signal })
      log.push(`-${one.id}`)
      return 'done'
    },
  }))
  const done = runSteps(runnable, (event) => events.push(event), new AbortController().signal)
  return { result: await done.catch((error: unknown) => error), log, events }
}

test('as much runs at once as the order allows', async () => {
  const { result, log } = await carryOut()
  expect(result).toEqual(new Map(plan.map(({ id }) => [id, 'done'])))
  expect(log.slice(0, 2)).toEqual(['+build:web', '+network'])
  const [services, sql, secrets] = ['+service:web', '+sql:main', '+secret:db'].map((entry) => log.indexOf(entry))
  expect(log.indexOf('+bucket:b')).toBeLessThan(log.indexOf('-secret:db'))
  expect(sql).toBeGreaterThan(log.indexOf('-secret:db'))
  expect(secrets).toBeGreaterThan(log.indexOf('-network'))
  expect(services).toBeGreaterThan(log.indexOf('-sql:main'))
  expect(log.indexOf('+job:nightly')).toBeLessThan(log.indexOf('-service:web'))
})

test('the first failure ends what is under way, starts nothing else, and is what is thrown', async () => {
  const { result, log, events } = await carryOut('network')
  expect(result).toMatchObject({ message: 'no network' })
  expect(log.filter((entry) => entry.startsWith('+'))).toEqual(['+build:web', '+network'])
  expect(log).not.toContain('-build:web')
  expect(events.flatMap((event) => (event.kind === 'step' && event.state !== 'started' ? [`${event.id} ${event.state}`] : []))).toEqual([
    'network failed',
    'build:web failed',
  ])
})
