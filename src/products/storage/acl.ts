import * as z from 'zod'
import type { Caller } from '../../api/caller.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { invalid } from './names.ts'

/** One entry of an access control list: `allUsers` is `READER`. */
export interface AclEntry {
  readonly entity: string
  readonly role: string
}

const email = '[^\\s@]{1,64}@[^\\s@]{1,255}'
/** Source: cloud.google.com/storage/docs/json_api/v1/objectAccessControls#resource, "entity". */
const entityPattern = new RegExp(
  `^(allUsers|allAuthenticatedUsers|(user|group)-(${email}|[\\w-]{1,100})|domain-[\\w.-]{1,253}|project-(owners|editors|viewers)-[\\w:.-]{1,100})$`,
)
const entry = z.object({
  entity: z.string().regex(entityPattern, 'Invalid entity. Send allUsers, user-EMAIL, group-EMAIL, domain-NAME or project-owners-NUMBER.'),
  role: z
    .string()
    .toUpperCase()
    .pipe(z.enum(['OWNER', 'WRITER', 'READER'])),
})
/** Source: cloud.google.com/storage/quotas#acls. */
const entriesLimit = 100
export const aclSchema = z.array(entry).max(entriesLimit)

/** Google's words for lists made at once; `P` is the project. Source: cloud.google.com/storage/docs/access-control/lists#predefined-acl. */
const predefined: Readonly<Record<string, readonly string[]>> = {
  private: [],
  projectPrivate: ['P-owners OWNER', 'P-editors OWNER', 'P-viewers READER'],
  publicRead: ['allUsers READER'],
  publicReadWrite: ['allUsers WRITER'],
  authenticatedRead: ['allAuthenticatedUsers READER'],
  bucketOwnerRead: ['P-owners READER'],
  bucketOwnerFullControl: ['P-owners OWNER'],
}
const ofOneKind: Readonly<Record<string, string>> = {
  publicReadWrite: 'bucket',
  bucketOwnerRead: 'object',
  bucketOwnerFullControl: 'object',
}

/** @param name as JSON or XML says it: `publicRead`, `public-read` @throws CloudError INVALID_ARGUMENT */
export function predefinedAcl(
  of: 'bucket' | 'object',
  name: string,
  projectNumber: string,
  owner: Caller | undefined,
): readonly AclEntry[] {
  const key = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const words = Object.keys(predefined).filter((word) => (ofOneKind[word] ?? of) === of)
  const entries = words.includes(key) ? predefined[key] : undefined
  if (entries === undefined) throw invalid(`Invalid value for predefinedAcl: ${name.slice(0, 100)}`, `Use one of ${words.join(', ')}.`)
  const made = entries.map((text): AclEntry => {
    const [entity = '', role = ''] = text.replace(/^P-(\w+)/, `project-$1-${projectNumber}`).split(' ')
    return { entity, role }
  })
  return owner === undefined ? made : [...made, { entity: `user-${owner.email}`, role: 'OWNER' }]
}

/** The list with this entry added, or put in the place of the same entity's. @throws CloudError INVALID_ARGUMENT */
export function withEntry(acl: readonly AclEntry[], input: unknown): readonly AclEntry[] {
  const read = entry.safeParse(input)
  if (!read.success) {
    const [issue] = read.error.issues
    throw invalid(
      `Invalid value for ${issue?.path.join('.') || 'the entry'}: ${issue?.message ?? ''}`,
      'Send {"entity": "allUsers", "role": "READER"}.',
    )
  }
  const others = acl.filter(({ entity }) => entity !== read.data.entity)
  if (others.length >= entriesLimit) throw invalid(`An access control list has at most ${entriesLimit} entries.`, 'Use groups.')
  return [...others, read.data]
}

/** @throws CloudError NOT_FOUND */
export function entryOf(acl: readonly AclEntry[], entity: string): AclEntry {
  const found = acl.find((one) => one.entity.toLowerCase() === entity.toLowerCase())
  if (found === undefined)
    throw new CloudError('NOT_FOUND', 'The specified ACL entry does not exist.', 'List the entries.', { fault: 'NOT_FOUND' })
  return found
}

export function withoutEntry(acl: readonly AclEntry[], entity: string): readonly AclEntry[] {
  const gone = entryOf(acl, entity)
  return acl.filter((one) => one !== gone)
}
