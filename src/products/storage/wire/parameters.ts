import type { Log } from '../../../base/log.ts'
import { invalid, unimplemented } from '../names.ts'

/** What a parameter asks for that is not there. `false` and an empty text ask for nothing. */
const refused = new Map([
  ['softDeleted', 'soft-deleted objects and buckets (softDeleted)'],
  ['restoreToken', 'soft-deleted objects (restoreToken)'],
  ['copySourceAcl', 'soft-deleted objects (copySourceAcl)'],
  ['filter', 'filters of lists by contexts (filter)'],
  ['includeFoldersAsPrefixes', 'folders and managed folders (includeFoldersAsPrefixes)'],
  ['kmsKeyName', 'Cloud KMS keys (kmsKeyName)'],
  ['destinationKmsKeyName', 'Cloud KMS keys (destinationKmsKeyName)'],
  ['dropContextGroups', 'dropping groups of contexts (dropContextGroups)'],
  ['contextKey', 'full contexts (contextKey)'],
  ['serviceAccountEmail', 'HMAC keys (serviceAccountEmail)'],
  ['showDeletedKeys', 'HMAC keys (showDeletedKeys)'],
])

/** Of all methods, and of the system. Source: the discovery document of storage/v1. */
const known = new Set([
  ...refused.keys(),
  ...`alt fields key oauth_token access_token prettyPrint quotaUser uploadType upload_id upload_protocol userIp callback $.xgafv $alt $fields
  allowNonEmpty contentEncoding delimiter destinationPredefinedAcl enableObjectRetention endOffset generation ifGenerationMatch
  ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch ifSourceGenerationMatch ifSourceGenerationNotMatch
  ifSourceMetagenerationMatch ifSourceMetagenerationNotMatch includeTrailingDelimiter matchGlob maxBytesRewrittenPerCall maxResults name
  optionsRequestedPolicyVersion overrideUnlockedRetention pageSize pageToken permissions predefinedAcl predefinedDefaultObjectAcl prefix project
  projection provisionalUserProject recursive returnPartialSuccess rewriteToken sourceGeneration startOffset userProject versions`.split(
    /\s+/,
  ),
])
const byLowerCase = new Map([...known].map((name) => [name.toLowerCase(), name]))

/**
 * Refuses what is asked for in vain. A name that Google does not know either is passed over, as Google does (its Node client sends
 * `autoPaginate`), and told to the log.
 * @throws CloudError UNIMPLEMENTED by name; INVALID_ARGUMENT for a known name in other letters, such as `ifgenerationmatch`
 */
export function checkParameters(query: URLSearchParams, log: Log): void {
  for (const [name, value] of query) {
    const what = refused.get(name)
    if (what !== undefined && value !== '' && value.toLowerCase() !== 'false') throw unimplemented(what)
    if (known.has(name)) continue
    const meant = byLowerCase.get(name.toLowerCase())
    if (meant !== undefined) throw invalid(`Unknown query parameter: ${name}`, `Write ${meant}.`)
    log.warn({ parameter: name }, 'Cloud Storage does not know this query parameter, and passes it over')
  }
}
