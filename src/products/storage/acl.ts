import * as z from 'zod'
import type { Caller } from '../../api/caller.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { invalid } from './names.ts'

/** One entry of an access control list: `allUsers` is `READER`. */
export interface AclEntry {
  readonly entity: string
  readonly role: string
}

const entry = z.object({ entity: z.string().min(1), role: z.string().transform((role) => role.toUpperCase()) })
export const aclSchema = z.array(entry)

/** Google's words for lists made at once; `o` is who makes the resource, `P` the project. Source: cloud.google.com/storage/docs/access-control/lists#predefined-acl. */
const predefined: Readonly<Record<string, readonly string[]>> = {
  private: [],
  projectPrivate: ['P-owners OWNER', 'P-editors OWNER', 'P-viewers READER'],
  publicRead: ['allUsers READER'],
  publicReadWrite: ['allUsers WRITER'],
  authenticatedRead: ['allAuthenticatedUsers READER'],
  bucketOwnerRead: ['P-owners READER'],
  bucketOwnerFullControl: ['P-owners OWNER'],
}

/** @param name as JSON or XML says it: `publicRead`, `public-read` @throws CloudError INVALID_ARGUMENT */
export function predefinedAcl(name: string, projectNumber: string, owner: Caller | undefined): readonly AclEntry[] {
  const key = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const entries = predefined[key]
  if (entries === undefined) throw invalid(`Invalid value for predefinedAcl: ${name}`, `Use one of ${Object.keys(predefined).join(', ')}.`)
  const made = entries.map((text): AclEntry => {
    const [entity = '', role = ''] = text.replace(/^P-(\w+)/, `project-$1-${projectNumber}`).split(' ')
    return { entity, role }
  })
  return owner === undefined ? made : [...made, { entity: `user-${owner.email}`, role: 'OWNER' }]
}

/** The list with this entry added, or put in the place of the same entity's. */
export function withEntry(acl: readonly AclEntry[], input: unknown): readonly AclEntry[] {
  const read = entry.safeParse(input)
  if (!read.success) throw invalid('Required: entity and role', 'Send {"entity": "allUsers", "role": "READER"}.')
  if (!['OWNER', 'WRITER', 'READER'].includes(read.data.role))
    throw invalid(`Invalid role: ${read.data.role}`, 'Use OWNER, WRITER or READER.')
  return [...acl.filter(({ entity }) => entity !== read.data.entity), read.data]
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
