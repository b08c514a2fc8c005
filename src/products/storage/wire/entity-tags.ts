import type { FastifyRequest } from 'fastify'
import { CloudError } from '../../../base/cloud-error.ts'
import type { StoredObject } from '../../../objects/stored.ts'
import { headerOf } from './call.ts'
import { toEtagHeader, type Wire } from './object-headers.ts'

/** If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since. Source: RFC 9110, section 13. @throws CloudError CONDITION_NOT_MET, NOT_MODIFIED */
export function checkEntityTags(request: FastifyRequest, object: StoredObject, wire: Wire): void {
  const own = bare(toEtagHeader(object, wire))
  const tags = (header: string) => headerOf(request, header)?.split(',').map(bare)
  const matches = (wanted: readonly string[]) => wanted.includes(own) || wanted.includes('*')
  const modifiedS = Math.floor(object.updatedMs / 1000)
  const timeS = (header: string) => Date.parse(headerOf(request, header) ?? '') / 1000 // NaN compares false
  const wanted = tags('if-match')
  if (wanted === undefined ? modifiedS > timeS('if-unmodified-since') : !matches(wanted)) throw notMet('CONDITION_NOT_MET')
  const known = tags('if-none-match')
  if (known === undefined ? modifiedS <= timeS('if-modified-since') : matches(known)) throw notMet('NOT_MODIFIED')
}

/** JSON's tags go without quotes, XML's with them. */
function bare(tag: string): string {
  return tag.trim().replace(/^W\//, '').replaceAll('"', '')
}

function notMet(fault: 'CONDITION_NOT_MET' | 'NOT_MODIFIED'): CloudError {
  return new CloudError('FAILED_PRECONDITION', 'At least one of the pre-conditions you specified did not hold.', 'Read it again.', {
    fault,
  })
}
