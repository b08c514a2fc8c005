import type { DescMessage, Message } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { CloudError } from '../base/cloud-error.ts'
import { isRegion, similarRegion } from './regions.ts'

/**
 * A project's id or number. Google wants 6 characters or more; devcloud also takes shorter ids such as `demo`, which tests for other emulators use. An id may
 * have a domain before a colon. Source: cloud.google.com/resource-manager/docs/creating-managing-projects.
 */
const projectId = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+:)?[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$/
const projectNumber = /^[1-9]\d{0,18}$/

/** @throws CloudError INVALID_ARGUMENT */
export function checkProject(idOrNumber: string): void {
  if (isProjectId(idOrNumber) || projectNumber.test(idOrNumber)) return
  const rule = '6 to 30 lower case letters, digits and hyphens, a letter first and no hyphen last'
  throw new CloudError('INVALID_ARGUMENT', `Invalid project id "${clipped(idOrNumber)}".`, `Write ${rule}.`)
}

/** Whether a text is a project's id. False for a number. */
export function isProjectId(text: string): boolean {
  return text.length <= 100 && projectId.test(text)
}

/** @throws CloudError INVALID_ARGUMENT */
export function checkRegion(id: string): void {
  if (isRegion(id)) return
  const similar = similarRegion(id)
  const question = similar === undefined ? '' : ` Did you mean "${similar}"?`
  throw new CloudError('INVALID_ARGUMENT', `Location "${clipped(id)}" is not found.${question}`, 'See cloud.google.com/about/locations.')
}

/**
 * Checks the names in a request before its method runs: `name`, `parent` and `resource` of the message, and `name` of a resource in the message. Checks
 * projects and locations; the method checks the ids below. @throws CloudError INVALID_ARGUMENT
 */
export function checkNames(schema: DescMessage, message: Message): void {
  const request = reflect(schema, message)
  for (const field of schema.fields) {
    if (field.fieldKind === 'scalar' && nameFields.has(field.name)) checkName(String(request.get(field)))
    else if (field.fieldKind === 'message' && request.isSet(field)) {
      const inner = field.message.field['name']
      if (inner?.fieldKind === 'scalar') checkName(String(request.get(field).get(inner)))
    }
  }
}

const nameFields = new Set(['name', 'parent', 'resource', 'project'])

/** Checks `projects/P/locations/R/...`. A name of another form is left to the method. */
function checkName(name: string): void {
  if (name.length > 4096) throw new CloudError('INVALID_ARGUMENT', 'A resource name is too long.', 'Correct it.')
  const [collection, project = '', below, location = ''] = name.split('/', 4)
  if (collection !== 'projects') return
  const isAnyAccount = project === '-' && below === 'serviceAccounts'
  if (!isAnyAccount) checkProject(project)
  if (below === 'locations' && location !== '-' && location !== 'global') checkRegion(location)
}

function clipped(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
