import { isRecord } from '../base/is-record.ts'
import type { Wanted, WantedJob } from '../config/wanted.ts'
import { scheduleKey, timeZoneKey } from '../products/run/jobs/schedule.ts'
import type { RunJobs } from '../products/run/jobs/index.ts'
import { type GoogleApi, type Json } from './google-api.ts'
import { isSame } from './is-same.ts'
import { waitForOperation } from './wait-for-operation.ts'

const run = 'https://run.googleapis.com/v2'

/** Creates or updates a job; does not run it. Answers what was done, for people. */
export async function applyJob(api: GoogleApi, jobs: RunJobs, wanted: Wanted, job: WantedJob, body: Json): Promise<string> {
  const parent = `projects/${wanted.project}/locations/${wanted.region}`
  const url = `${run}/${parent}/jobs/${job.id}`
  const found = await api.find(url)
  const isUnchanged = found !== undefined && isSame(found, body) && scheduleIn(found) === scheduleIn(body)
  if (found === undefined) await waitForOperation(api, await api.call('POST', `${run}/${parent}/jobs?jobId=${job.id}`, body))
  else if (!isUnchanged) await waitForOperation(api, await api.call('PATCH', url, body))
  const nextMs = jobs.list(wanted.project).find(({ id }) => id === job.id)?.nextRunMs
  const done = isUnchanged ? 'unchanged' : found === undefined ? 'created' : 'updated'
  return nextMs === undefined ? done : `${done}, runs next at ${new Date(nextMs).toISOString().slice(0, 16)}Z`
}

/** Takes away the schedules that no file says any more; the jobs stay. */
export async function unschedule(api: GoogleApi, wanted: Wanted): Promise<void> {
  const parent = `projects/${wanted.project}/locations/${wanted.region}`
  const answer = await api.call('GET', `${run}/${parent}/jobs?pageSize=1000`)
  const jobs = Array.isArray(answer['jobs']) ? answer['jobs'].filter(isRecord) : []
  for (const job of jobs) {
    const name = String(job['name'])
    if (scheduleIn(job) === '' || wanted.jobs.some(({ id }) => name === `${parent}/jobs/${id}`)) continue
    const annotations = Object.entries(job['annotations'] as Json).filter(([key]) => key !== scheduleKey && key !== timeZoneKey)
    await waitForOperation(api, await api.call('PATCH', `${run}/${name}`, { ...job, annotations: Object.fromEntries(annotations) }))
  }
}

function scheduleIn(job: Json): string {
  const { annotations } = job
  return isRecord(annotations) && annotations[scheduleKey] !== undefined
    ? `${String(annotations[scheduleKey])} ${String(annotations[timeZoneKey])}`
    : ''
}
