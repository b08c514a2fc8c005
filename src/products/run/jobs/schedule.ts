import { Cron } from 'croner'
import type { Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { invalid } from '../invalid.ts'

/** Annotations of a job that runs by itself: v2 has no field for that, since on Google Cloud another product starts jobs. */
export const scheduleKey = 'devcloud.dev/schedule'
export const timeZoneKey = 'devcloud.dev/time-zone'

/** When a job runs: five fields of cron, in a time zone of the IANA. */
export interface Schedule {
  readonly cron: string
  readonly timeZone: string
}

export function scheduleOf({ annotations }: Pick<Job, 'annotations'>): Schedule | undefined {
  const cron = annotations[scheduleKey]
  return cron === undefined ? undefined : { cron, timeZone: annotations[timeZoneKey] ?? 'UTC' }
}

/** @throws CloudError INVALID_ARGUMENT for a schedule that is none */
export function checkSchedule(job: Pick<Job, 'annotations'>): void {
  const schedule = scheduleOf(job)
  if (schedule === undefined) return
  try {
    nextRunMs(schedule, Date.UTC(2026, 0))
  } catch (cause) {
    throw invalid(
      `job.annotations: "${schedule.cron}" in the time zone "${schedule.timeZone}" is not a schedule.`,
      'Write five fields of cron, such as 0 3 * * *, and a time zone such as Europe/Berlin.',
      { cause },
    )
  }
}

/**
 * The first time after `afterMs`, wall time; undefined when there is none. A local time that a change of the clocks leaves out runs once, when the
 * gap is over; one that there is twice runs once (reliability F42).
 */
export function nextRunMs({ cron, timeZone }: Schedule, afterMs: number): number | undefined {
  return new Cron(cron, { paused: true, mode: '5-part', timezone: timeZone }).nextRun(new Date(afterMs))?.getTime()
}
