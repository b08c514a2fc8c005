import * as z from 'zod'
import { storageClass } from './storage-classes.ts'
import { wholeNumber } from './whole-number.ts'

const count = wholeNumber.pipe(z.int().min(0).max(2_147_483_647))
const size = z.union([z.string().regex(/^\d{1,19}$/), z.int().min(0)])
const date = z.iso.date()
const nameParts = z.array(z.string().min(1).max(1024)).min(1)

const condition = z
  .strictObject({
    age: count,
    createdBefore: date,
    customTimeBefore: date,
    daysSinceCustomTime: count,
    daysSinceNoncurrentTime: count,
    isLive: z.boolean(),
    matchesPrefix: nameParts,
    matchesSuffix: nameParts,
    matchesStorageClass: z.array(storageClass).min(1),
    noncurrentTimeBefore: date,
    numNewerVersions: count,
    sizeAboveBytes: size,
    sizeBelowBytes: size,
  })
  .partial()
  .refine((one) => Object.keys(one).length > 0, 'A rule must have at least one condition.')

const action = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Delete') }),
  z.object({ type: z.literal('SetStorageClass'), storageClass }),
  z.object({ type: z.literal('AbortIncompleteMultipartUpload') }),
])

const rule = z
  .object({ action, condition })
  .refine(
    (one) =>
      one.action.type !== 'AbortIncompleteMultipartUpload' || Object.keys(one.condition).every((key) => abortConditions.includes(key)),
    'AbortIncompleteMultipartUpload takes the conditions age, matchesPrefix and matchesSuffix alone.',
  )
const abortConditions = ['age', 'matchesPrefix', 'matchesSuffix']

/** Rules as Google takes them; they are kept, not carried out. Source: cloud.google.com/storage/docs/lifecycle. */
export const lifecycle = z
  .object({ rule: z.array(rule).max(100).default([]) })
  .refine(
    ({ rule: rules }) =>
      rules.reduce((sum, { condition: one }) => sum + (one.matchesPrefix?.length ?? 0) + (one.matchesSuffix?.length ?? 0), 0) <= 1000,
    'The rules may have at most 1000 prefixes and suffixes in all.',
  )
