import { create } from '@bufbuild/protobuf'
import { RunJobRequestSchema, type Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { projectOf } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import type { JobApi } from './jobs.ts'
import { nextRunMs, scheduleOf, type Schedule } from './schedule.ts'

/** Who runs jobs by their schedules, as `creator` of executions. */
const caller = 'scheduler@devcloud.local'
/** The clock may be set, and the machine may sleep: it is looked at so often. */
const lookMs = 30_000
const stepMs = 60_000

/** Runs jobs on time while their projects are up. What was missed while no daemon ran, or the project was down, is not caught up. */
export interface Scheduler extends Disposable {
  /** Jobs or projects changed. */
  refresh(): void
  /** Wall time; undefined for a job that does not run by itself now. */
  nextRunMs(job: string): number | undefined
}

/** @param jobs all that there are @param isUp of a project's id */
export function openScheduler(needs: Pick<RunNeeds, 'clock' | 'isUp' | 'log'>, api: Pick<JobApi, 'all' | 'runNow'>): Scheduler {
  const entries = new Map<string, { readonly schedule: Schedule; readonly nextMs: number }>()
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  let seen = { wallMs: needs.clock.nowMs(), ticksMs: needs.clock.ticksMs() }

  const set = () => {
    clearTimeout(timer)
    if (entries.size === 0 || isOver) return
    const next = Math.min(...[...entries.values()].map(({ nextMs }) => nextMs))
    timer = setTimeout(look, Math.min(lookMs, Math.max(1, next - needs.clock.nowMs()))).unref()
  }
  const look = () => {
    const nowMs = needs.clock.nowMs()
    planAnewWhenSetBack()
    for (const [name, { schedule, nextMs }] of entries) {
      if (nextMs > nowMs) continue
      plan(name, schedule, nowMs)
      api
        .runNow(create(RunJobRequestSchema, { name }), caller)
        .catch((error: unknown) => needs.log.warn({ err: error, job: name }, 'a scheduled run could not begin'))
    }
    set()
  }
  /** What was planned before a clock was set back would come late by as much. After less than a minute it stands, lest it run twice. */
  const planAnewWhenSetBack = () => {
    const { wallMs, ticksMs } = seen
    seen = { wallMs: needs.clock.nowMs(), ticksMs: needs.clock.ticksMs() }
    const isSetBack = seen.wallMs - wallMs < seen.ticksMs - ticksMs - stepMs
    if (isSetBack) for (const [name, { schedule }] of entries) plan(name, schedule, seen.wallMs)
  }
  const plan = (name: string, schedule: Schedule, afterMs: number) => {
    const nextMs = nextRunMs(schedule, afterMs)
    if (nextMs === undefined) entries.delete(name)
    else entries.set(name, { schedule, nextMs })
  }
  const refresh = () => {
    planAnewWhenSetBack()
    const wanted = new Map(api.all('').flatMap((job: Job) => toEntry(job, needs.isUp)))
    for (const name of entries.keys()) if (!wanted.has(name)) entries.delete(name)
    for (const [name, schedule] of wanted) {
      const known = entries.get(name)?.schedule
      if (known?.cron !== schedule.cron || known.timeZone !== schedule.timeZone) plan(name, schedule, needs.clock.nowMs())
    }
    set()
  }
  return {
    refresh,
    nextRunMs: (job) => entries.get(job)?.nextMs,
    [Symbol.dispose]() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

function toEntry(job: Job, isUp: (project: string) => boolean): readonly (readonly [string, Schedule])[] {
  const schedule = scheduleOf(job)
  return schedule !== undefined && isUp(projectOf(job.name)) ? [[job.name, schedule]] : []
}
