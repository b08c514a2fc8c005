import { create } from '@bufbuild/protobuf'
import {
  InstanceSplitAllocationType,
  InstanceSplitStatusSchema,
  type InstanceSplit,
  type InstanceSplitStatus,
} from '../../../api/gen/google/cloud/run/v2/instance_split_pb.ts'
import { invalid } from '../invalid.ts'

const { LATEST: latest, REVISION: byName } = InstanceSplitAllocationType

/** @throws CloudError INVALID_ARGUMENT unless the percents sum to 100 and each entry says which revision it is */
export function checkSplits(splits: readonly InstanceSplit[]): void {
  const sum = splits.reduce((total, { percent }) => total + percent, 0)
  if (splits.length > 0 && (sum !== 100 || splits.some(({ percent }) => percent < 0)))
    throw invalid(`instance_splits: The sum of percentages should be 100, but is ${sum}.`, 'Make them sum to 100.')
  const odd = splits.find(({ type, revision }) => (type === byName) === (revision === ''))
  if (odd === undefined) return
  throw invalid(
    'instance_splits: An entry names a revision exactly when its type is INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION.',
    'Correct the entry.',
  )
}

/** Which revision takes which share: everything the latest one when nothing is said. @param latestId a revision's id, empty for none */
export function resolveSplits(splits: readonly InstanceSplit[], latestId: string): InstanceSplitStatus[] {
  if (splits.length === 0) return [create(InstanceSplitStatusSchema, { type: latest, revision: latestId, percent: 100 })]
  return splits.map(({ type, revision, percent }) =>
    create(InstanceSplitStatusSchema, { type: type || latest, revision: type === byName ? revision : latestId, percent }),
  )
}

/** Whole instances of each revision, by largest remainder, `total` in all. */
export function shareOut(statuses: readonly InstanceSplitStatus[], total: number): Map<string, number> {
  const parts = statuses.map(({ revision, percent }) => ({ revision, exact: (percent * total) / 100 }))
  const counts = new Map<string, number>()
  const add = (revision: string, count: number) => counts.set(revision, (counts.get(revision) ?? 0) + count)
  for (const { revision, exact } of parts) add(revision, Math.floor(exact))
  const left = total - parts.reduce((sum, { exact }) => sum + Math.floor(exact), 0)
  const byRemainder = parts.toSorted((a, b) => (b.exact % 1) - (a.exact % 1))
  for (const { revision } of byRemainder.slice(0, left)) add(revision, 1)
  counts.delete('')
  return counts
}
