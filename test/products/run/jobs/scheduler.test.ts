import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { JobSchema, type Job } from '../../../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import { ExecutionSchema } from '../../../../src/api/gen/google/cloud/run/v2/execution_pb.ts'
import { openLog } from '../../../../src/base/log.ts'
import { checkSchedule, nextRunMs, scheduleKey, timeZoneKey } from '../../../../src/products/run/jobs/schedule.ts'
import { openScheduler } from '../../../../src/products/run/jobs/scheduler.ts'

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 24, 12, 0, 30) }))
afterEach(() => void vi.useRealTimers())

const runs = (cron: string, timeZone: string, from: string, count: number) => {
  const times: string[] = []
  for (let ms = Date.parse(from); times.length < count;) {
    ms = nextRunMs({ cron, timeZone }, ms) ?? Number.NaN
    times.push(new Date(ms).toISOString().slice(0, 16))
  }
  return times
}

test('F42: a local time that the change to summer time leaves out runs once after the gap, one that is there twice runs once', () => {
  expect(runs('30 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z', 2)).toEqual(['2027-03-28T01:00', '2027-03-29T00:30'])
  expect(runs('30 2 * * *', 'Europe/Berlin', '2027-10-30T12:00:00Z', 2)).toEqual(['2027-10-31T00:30', '2027-11-01T01:30'])
  expect(runs('0 3 * * *', 'UTC', '2027-03-27T12:00:00Z', 2)).toEqual(['2027-03-28T03:00', '2027-03-29T03:00'])
})

test('a schedule that is none is refused', () => {
  for (const [cron, zone] of [
    ['every day', 'UTC'],
    ['* * * * * *', 'UTC'],
    ['0 3 * * *', 'Nowhere'],
  ] as const)
    // prettier-ignore
    expect(() => checkSchedule({ annotations: { [scheduleKey]: cron, [timeZoneKey]: zone } })).toThrow('is not a schedule')
  expect(() => checkSchedule({ annotations: { [scheduleKey]: '0 3 * * 1-5' } })).not.toThrow()
})

function given(isUp: (project: string) => boolean) {
  const jobs: Job[] = []
  const ran: string[] = []
  const clock = { nowMs: () => Date.now(), ticksMs: () => performance.now() }
  const scheduler = openScheduler(
    { clock, isUp, log: openLog(undefined) },
    {
      all: () => jobs,
      runNow: async ({ name }) => {
        ran.push(`${name.split('/').at(-1) ?? ''} ${new Date(Date.now()).toISOString().slice(11, 16)}`)
        return create(ExecutionSchema)
      },
    },
  )
  const add = (id: string, cron: string) => {
    jobs.push(create(JobSchema, { name: `projects/p/locations/r/jobs/${id}`, annotations: { [scheduleKey]: cron } }))
    scheduler.refresh()
  }
  return { jobs, ran, scheduler, add }
}

test('jobs run on time, each by its own schedule, and no more once they are gone', async () => {
  const { jobs, ran, scheduler, add } = given(() => true)
  add('often', '* * * * *')
  add('seldom', '5 12 * * *')
  expect(scheduler.nextRunMs('projects/p/locations/r/jobs/seldom')).toBe(Date.UTC(2026, 10, 24, 12, 5))
  await vi.advanceTimersByTimeAsync(90_000)
  expect(ran).toEqual(['often 12:01', 'often 12:02'])
  jobs.shift()
  scheduler.refresh()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(ran).toEqual(['often 12:01', 'often 12:02', 'seldom 12:05'])
})

test('while the project is down nothing runs, and what was missed is not caught up', async () => {
  let isUp = true
  const { ran, scheduler, add } = given(() => isUp)
  add('often', '* * * * *')
  isUp = false
  scheduler.refresh()
  await vi.advanceTimersByTimeAsync(300_000)
  expect([ran, scheduler.nextRunMs('projects/p/locations/r/jobs/often')]).toEqual([[], undefined])
  isUp = true
  scheduler.refresh()
  await vi.advanceTimersByTimeAsync(40_000)
  expect(ran).toEqual(['often 12:06'])
})

test('F19: a machine that slept over a time runs the job once when it wakes', async () => {
  const { ran, add } = given(() => true)
  add('often', '* * * * *')
  vi.setSystemTime(Date.UTC(2026, 10, 24, 18, 30, 30)) // timers stood still meanwhile
  await vi.advanceTimersByTimeAsync(31_000)
  expect(ran).toEqual(['often 18:31'])
})
