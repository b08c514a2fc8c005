import type { Clock } from '../../base/clock.ts'
import type { StoredBucket, StoredObject } from '../../objects/stored.ts'
import { bucketAttributes } from './bucket-attributes.ts'
import { toTime } from './bucket-resource.ts'
import { forbidden } from './names.ts'
import { objectAttributes } from './object-attributes.ts'

/** Refuses to delete or replace what a hold or retention keeps. Source: cloud.google.com/storage/docs/bucket-lock. @throws CloudError PERMISSION_DENIED */
export function checkHolds(clock: Clock, bucket: StoredBucket, object: StoredObject | undefined): void {
  if (object === undefined) return
  const { fields } = objectAttributes(object)
  const name = `Object '${bucket.name}/${object.name}'`
  if (fields.temporaryHold === true) throw held(name, 'Temporary')
  if (fields.eventBasedHold === true) throw held(name, 'Event-Based')
  const periodMs = (bucketAttributes(bucket).fields.retentionPolicy?.retentionPeriod ?? 0) * 1000
  const untilMs = Math.max(object.createdMs + periodMs, Date.parse(fields.retention?.retainUntilTime ?? '') || 0)
  if (untilMs <= clock.nowMs()) return
  throw forbidden(
    `${name} is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${toTime(untilMs)}`,
    'Wait, or change the retention policy.',
  )
}

function held(name: string, kind: string) {
  return forbidden(
    `${name} is under active ${kind} hold and cannot be deleted, overwritten or archived until hold is removed.`,
    'Remove the hold.',
  )
}
