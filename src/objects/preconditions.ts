import { CloudError } from '../base/cloud-error.ts'

/** Source: cloud.google.com/storage/docs/request-preconditions. A generation of 0 means: no live version. */
export interface Preconditions {
  readonly ifGenerationMatch?: number | undefined
  readonly ifGenerationNotMatch?: number | undefined
  readonly ifMetagenerationMatch?: number | undefined
  readonly ifMetagenerationNotMatch?: number | undefined
}

/**
 * Checks preconditions. Call in the same synchronous turn as the change.
 * @param current undefined without a live version
 * @throws CloudError CONDITION_NOT_MET, or NOT_MODIFIED when a NotMatch condition failed
 */
export function checkPreconditions(
  wanted: Preconditions,
  current: { readonly generation: number; readonly metageneration: number } | undefined,
): void {
  const generation = current?.generation ?? 0
  const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } = wanted
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== generation) throw notMet('CONDITION_NOT_MET')
  if (ifMetagenerationMatch !== undefined && ifMetagenerationMatch !== current?.metageneration) throw notMet('CONDITION_NOT_MET')
  if (ifGenerationNotMatch !== undefined && ifGenerationNotMatch === generation) throw notMet('NOT_MODIFIED')
  if (ifMetagenerationNotMatch !== undefined && ifMetagenerationNotMatch === current?.metageneration) throw notMet('NOT_MODIFIED')
}

function notMet(fault: 'CONDITION_NOT_MET' | 'NOT_MODIFIED'): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    'At least one of the pre-conditions you specified did not hold.',
    'Read the object again and retry with its generation.',
    { fault },
  )
}
