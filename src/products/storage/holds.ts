import type { StoredBucket, StoredObject } from '../../objects/stored.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { toTime } from './bucket-resource.ts'
import { forbidden } from './names.ts'
import { objectAttributes, type ObjectAttributes } from './object-attributes.ts'

/**
 * Refuses to delete or replace what a hold or retention keeps. A clock that steps back keeps objects longer by the step, one that steps forward
 * shorter; where there is no retention, no clock is asked. Source: cloud.google.com/storage/docs/bucket-lock. @throws CloudError PERMISSION_DENIED
 */
export function checkHolds(nowMs: number, bucket: StoredBucket, object: StoredObject | undefined): void {
  if (object === undefined) return
  const attributes = objectAttributes(object)
  const name = `Object '${bucket.name}/${object.name}'`
  if (attributes.fields.temporaryHold === true) throw held(name, 'Temporary')
  if (attributes.fields.eventBasedHold === true) throw held(name, 'Event-Based')
  const untilMs = retainedUntilMs(object, attributes, retentionPeriodMs(bucket))
  if (untilMs === undefined || untilMs <= nowMs) return
  throw forbidden(
    `${name} is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${toTime(untilMs)}`,
    'Wait, or change the retention policy.',
  )
}

/** Until when an object is retained, by the bucket's period or its own retention; undefined where there is none, or a hold has no end. */
export function retainedUntilMs(object: StoredObject, { fields, marks }: ObjectAttributes, periodMs: number): number | undefined {
  if (fields.eventBasedHold === true) return undefined
  const byPeriod = periodMs === 0 ? 0 : (marks?.retainedFromMs ?? object.createdMs) + periodMs
  const own = Date.parse(fields.retention?.retainUntilTime ?? '') || 0
  return Math.max(byPeriod, own) || undefined
}

/** 0 for none. */
export function retentionPeriodMs(bucket: StoredBucket): number {
  return (bucketAttributes(bucket).fields.retentionPolicy?.retentionPeriod ?? 0) * 1000
}

function held(name: string, kind: string) {
  return forbidden(
    `${name} is under active ${kind} hold and cannot be deleted, overwritten or archived until hold is removed.`,
    'Remove the hold.',
  )
}
