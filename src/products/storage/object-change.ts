import { isRecord } from '../../base/is-record.ts'
import type { BucketFields } from './bucket-fields.ts'
import { forbidden, invalid } from './names.ts'
import type { ContextTimes, ObjectFields, ObjectMarks } from './object-attributes.ts'

type Fields = Omit<ObjectFields, 'acl'>

export interface ObjectChange {
  /** Absent for an object that is made. */
  readonly before?: { readonly fields: Fields; readonly marks?: ObjectMarks | undefined }
  readonly after: Fields
  readonly bucket: BucketFields
  readonly nowMs: number
  /** Whether the request may shorten a retention that is not locked: overrideUnlockedRetention. */
  readonly overridesRetention: boolean
}

/** Source: cloud.google.com/storage/docs/object-lock. */
const centuryMs = 3_155_760_000_000

/**
 * What an object has after a change: fields, and the marks that Google sets. Pure.
 * @throws CloudError INVALID_ARGUMENT, PERMISSION_DENIED for a change that Google refuses
 */
export function changedObject(change: ObjectChange): { readonly fields: Fields; readonly marks: ObjectMarks } {
  const { before, after, nowMs } = change
  checkCustomTime(before?.fields, after)
  checkRetention(change)
  const isReleased = before?.fields.eventBasedHold === true && after.eventBasedHold !== true
  const isOtherClass = before !== undefined && before.fields.storageClass !== after.storageClass
  const contexts = contextTimes(change)
  return {
    fields: Object.fromEntries(Object.entries(after).filter(([, value]) => !isEmpty(value))),
    marks: {
      ...before?.marks,
      ...(isReleased && { retainedFromMs: nowMs }),
      ...(isOtherClass && { classChangedMs: nowMs }),
      ...(contexts !== undefined && { contexts }),
    },
  }
}

/** A map that is sent empty is taken away. */
function isEmpty(value: unknown): boolean {
  if (!isRecord(value)) return false
  return Object.keys(value).length === 0 || isEmpty(value['custom'])
}

/** Source: cloud.google.com/storage/docs/metadata#custom-time: it can be neither removed nor set to an earlier time. */
function checkCustomTime(before: Fields | undefined, after: Fields): void {
  if (before?.customTime === undefined || before.customTime === after.customTime) return
  if (after.customTime !== undefined && Date.parse(after.customTime) >= Date.parse(before.customTime)) return
  throw invalid('The custom time of an object can be neither removed nor set to an earlier time.', 'Rewrite the object to set it anew.')
}

function checkRetention({ before, after, bucket, nowMs, overridesRetention }: ObjectChange): void {
  const was = before?.fields.retention
  const is = after.retention
  if (JSON.stringify(was) === JSON.stringify(is)) return
  const untilMs = Date.parse(is?.retainUntilTime ?? '')
  const isSet = is?.mode !== undefined || is?.retainUntilTime !== undefined
  if (isSet) {
    if (bucket.objectRetention === undefined)
      throw invalid('Object retention is not enabled on this bucket.', 'Make the bucket with enableObjectRetention=true.')
    if (is.mode === undefined || is.retainUntilTime === undefined)
      throw invalid('A retention needs mode and retainUntilTime.', 'Send both.')
    if (untilMs <= nowMs || untilMs > nowMs + centuryMs)
      throw invalid('retainUntilTime must be in the future, and within 100 years.', 'Send a later time.')
  }
  if (was?.mode === undefined) return
  const isWeaker = !isSet || untilMs < Date.parse(was.retainUntilTime ?? '') || (was.mode === 'Locked' && is.mode !== 'Locked')
  if (was.mode === 'Locked' && isWeaker)
    throw forbidden('The retention of the object is locked: it can be neither removed, shortened nor unlocked.', 'Set a later time.')
  if (was.mode === 'Unlocked' && (isWeaker || is?.mode === 'Locked') && !overridesRetention)
    throw forbidden('To shorten, remove or lock an unlocked retention needs overrideUnlockedRetention=true.', 'Send it.')
}

/** Source: cloud.google.com/storage/docs/json_api/v1/objects#resource, "contexts.custom". */
function contextTimes({ before, after, nowMs }: ObjectChange): Readonly<Record<string, ContextTimes>> | undefined {
  const custom = after.contexts?.custom
  if (custom === undefined) return undefined
  const now = new Date(nowMs).toISOString()
  const old = new Map(Object.entries(before?.marks?.contexts ?? {}))
  const values = new Map(Object.entries(before?.fields.contexts?.custom ?? {}))
  const times = Object.entries(custom).map(([key, { value }]): [string, ContextTimes] => {
    const known = old.get(key)
    if (known === undefined) return [key, { createTime: now, updateTime: now }]
    return [key, values.get(key)?.value === value ? known : { ...known, updateTime: now }]
  })
  return Object.fromEntries(times)
}
