import { created } from '../../src/api/product-plan.ts'
import { planText, type Note } from '../../src/config/plan-text.ts'
import { readProject } from '../../src/config/read-project.ts'
import type { Wanted } from '../../src/config/wanted.ts'
import { sections } from '../../src/daemon/catalog.ts'
import type { WantedRun } from '../../src/products/run/project/wanted-run.ts'
import type { WantedSecrets } from '../../src/products/secretmanager/section.ts'
import type { WantedInstances } from '../../src/products/sql/section.ts'
import type { WantedBuckets } from '../../src/products/storage/section.ts'

/** What the sections of all products want, in one value. */
export type AllWanted = Omit<Wanted, 'parts'> & WantedSecrets & WantedInstances & WantedBuckets & WantedRun

/** What a project's files want of every product. @throws CloudError as `readProject` */
export async function readWanted(directory: string): Promise<AllWanted> {
  const { parts, ...project } = await readProject(directory, sections)
  const all = Object.assign({ secrets: [], instances: [], buckets: [], services: [], jobs: [] }, ...Object.values(parts)) as AllWanted
  return { ...project, ...all }
}

/** The plan of a project of which nothing is there yet. */
export function newPlanText(wanted: AllWanted, notes: readonly Note[] = []): string {
  const { project, region, directory } = wanted
  const resources = sections.flatMap((section) => section.describe(wanted, directory))
  const steps = resources.map(({ name, from }) => ({ name, cause: created(from) }))
  return planText({ project, region, directory, parts: {} }, resources, { steps, isUp: true, notes })
}
