import { readFilter } from '../../api/filter.ts'
import type { ProjectIds } from '../../api/project-ids.ts'

/** What a filter of projects may ask for, by the names of versions 1 and 3. Projects here have no labels and no parent, and all are active. */
const fields: Readonly<Record<string, (project: ProjectIds) => readonly string[]>> = {
  id: ({ id }) => [id],
  projectId: ({ id }) => [id],
  project_id: ({ id }) => [id],
  name: ({ id }) => [id],
  displayName: ({ id }) => [id],
  display_name: ({ id }) => [id],
  projectNumber: ({ number }) => [number],
  lifecycleState: () => ['ACTIVE'],
  state: () => ['ACTIVE'],
  parent: () => [],
  labels: () => [],
}
const states = ['lifecycleState', 'state']

/** Whether a project passes the `filter` of version 1 or the `query` of version 3. @throws CloudError INVALID_ARGUMENT for what projects do not have */
export function readProjectFilter(text: string): (project: ProjectIds) => boolean {
  return readFilter(text, ([field = '', ...rest]) => {
    const values = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (values === undefined || (rest.length > 0 && field !== 'labels' && field !== 'parent')) return undefined
    return { kind: states.includes(field) ? 'enum' : 'text', values }
  })
}
