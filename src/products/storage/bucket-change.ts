import type { BucketFields } from './bucket-fields.ts'
import { checkLocation, locationType } from './locations.ts'
import { forbidden, invalid } from './names.ts'

/** What Google sets of a bucket when its settings change. Milliseconds since 1970. */
export interface BucketMarks {
  readonly retentionSinceMs?: number
  readonly isRetentionLocked?: boolean
  readonly softDeleteSinceMs?: number
  readonly encryptionSinceMs?: number
  readonly autoclassToggledMs?: number
  readonly terminalClassMs?: number
  readonly uniformSinceMs?: number
}

/** For so long uniform access may be switched off again. Source: cloud.google.com/storage/docs/uniform-bucket-level-access. */
export const uniformLockMs = 90 * 86_400_000

/**
 * The marks after a change; undefined as `before` for a bucket that is made. Pure.
 * @throws CloudError INVALID_ARGUMENT, PERMISSION_DENIED for a change that Google refuses
 */
export function nextMarks(before: BucketFields | undefined, after: BucketFields, marks: BucketMarks, nowMs: number): BucketMarks {
  checkPlace(before, after)
  checkRetention(before, after, marks)
  if (before !== undefined && before.objectRetention?.mode !== after.objectRetention?.mode)
    throw invalid('objectRetention cannot be changed.', 'Make the bucket with enableObjectRetention=true.')
  if (isUniform(before) && !isUniform(after) && nowMs >= (marks.uniformSinceMs ?? 0) + uniformLockMs)
    throw invalid('Cannot disable uniform bucket-level access: the deadline has passed.', 'Keep it enabled.')
  const since = (same: boolean, is: boolean, mark: number | undefined) => (is ? (same && mark !== undefined ? mark : nowMs) : undefined)
  const isSame = (key: keyof BucketFields) => JSON.stringify(before?.[key]) === JSON.stringify(after[key])
  const { autoclass } = after
  return withoutUndefined({
    retentionSinceMs: since(isSame('retentionPolicy'), after.retentionPolicy !== undefined, marks.retentionSinceMs),
    isRetentionLocked: after.retentionPolicy === undefined ? undefined : marks.isRetentionLocked,
    // none and a duration of 0 are the same
    softDeleteSinceMs: before === undefined || softDeleteSeconds(before) === softDeleteSeconds(after) ? marks.softDeleteSinceMs : nowMs,
    encryptionSinceMs: since(isSame('encryption'), after.encryption !== undefined, marks.encryptionSinceMs),
    autoclassToggledMs: since(before?.autoclass?.enabled === autoclass?.enabled, autoclass !== undefined, marks.autoclassToggledMs),
    terminalClassMs: since(
      before?.autoclass?.terminalStorageClass === autoclass?.terminalStorageClass,
      autoclass?.enabled === true,
      marks.terminalClassMs,
    ),
    uniformSinceMs: since(isUniform(before), isUniform(after), marks.uniformSinceMs),
  })
}

function softDeleteSeconds({ softDeletePolicy }: BucketFields): number {
  return Number(softDeletePolicy?.retentionDurationSeconds ?? 0)
}

export function isUniform(fields: BucketFields | undefined): boolean {
  const { uniformBucketLevelAccess, bucketPolicyOnly } = fields?.iamConfiguration ?? {}
  return (uniformBucketLevelAccess?.enabled ?? bucketPolicyOnly?.enabled) === true
}

function checkPlace(before: BucketFields | undefined, after: BucketFields): void {
  const regions = after.customPlacementConfig?.dataLocations
  const location = after.location ?? 'US'
  if (before === undefined) checkLocation(location, regions)
  else if ((before.location ?? 'US') !== location || before.customPlacementConfig?.dataLocations.join() !== regions?.join())
    throw invalid("A bucket's location cannot be changed.", 'Make a bucket there, and copy the objects.')
  const type = locationType(location, regions !== undefined)
  const { storageClass: wanted, rpo, autoclass } = after
  if ((wanted === 'REGIONAL' && type !== 'region') || (wanted === 'MULTI_REGIONAL' && type === 'region'))
    throw invalid('The combination of location and storage class is not supported.', 'Use STANDARD.')
  if (rpo === 'ASYNC_TURBO' && type !== 'dual-region') throw invalid('Turbo replication (rpo) is for dual-regions alone.', 'Use DEFAULT.')
  if (autoclass?.enabled === true && !['STANDARD', undefined].includes(wanted))
    throw invalid('Autoclass needs the storage class STANDARD.', 'Use STANDARD.')
}

/** Source: cloud.google.com/storage/docs/bucket-lock#policy-locks. */
function checkRetention(before: BucketFields | undefined, after: BucketFields, { isRetentionLocked }: BucketMarks): void {
  const period = before?.retentionPolicy?.retentionPeriod
  if (isRetentionLocked !== true || period === undefined || (after.retentionPolicy?.retentionPeriod ?? 0) >= period) return
  throw forbidden('The retention policy of the bucket is locked: it can be neither removed nor shortened.', 'Set a longer period.')
}

function withoutUndefined(marks: { readonly [K in keyof BucketMarks]: BucketMarks[K] | undefined }): BucketMarks {
  return Object.fromEntries(Object.entries(marks).filter(([, value]) => value !== undefined))
}
