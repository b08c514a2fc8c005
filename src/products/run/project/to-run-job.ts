import type { WantedJob } from './wanted-run.ts'
import { scheduleKey, timeZoneKey } from '../jobs/schedule.ts'
import { toRunContainer } from './to-run-service.ts'

/** What Cloud Run's v2 API takes for a wanted job, as its JSON. Its schedule stands in annotations. Pure. */
export function toRunJob(wanted: WantedJob, image: string): Record<string, unknown> {
  const { container, ...task } = toRunContainer(wanted, image)
  const { schedule } = wanted
  return {
    annotations: schedule === undefined ? {} : { [scheduleKey]: schedule.cron, [timeZoneKey]: schedule.timeZone },
    template: {
      taskCount: wanted.tasks,
      parallelism: wanted.parallelism,
      template: { ...task, maxRetries: wanted.maxRetries, timeout: `${wanted.timeoutSeconds}s`, containers: [container] },
    },
  }
}
