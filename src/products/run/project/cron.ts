import { Cron } from 'croner'

/** Five fields, as Cloud Scheduler takes them. Source: cloud.google.com/scheduler/docs/configuring/cron-job-schedules. */
export function isCron(text: string): boolean {
  return works(() => new Cron(text, { paused: true, mode: '5-part' }))
}

/** A name of the IANA's database. */
export function isTimeZone(name: string): boolean {
  return works(() => new Intl.DateTimeFormat('en', { timeZone: name }))
}

function works(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}
