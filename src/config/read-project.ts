import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'
import { projectIdFor } from './ids.ts'
import { Problems } from './problems.ts'
import { ProjectFiles } from './project-files.ts'
import { readDevcloud } from './read-devcloud.ts'
import type { Found, Section } from './section.ts'
import type { Wanted } from './wanted.ts'

/**
 * Reads what a project's files want: devcloud.yaml, and the other files that each section reads. Writes nothing and runs nothing. The result is deeply
 * frozen.
 * @throws CloudError CONFIG_INVALID with every problem, NO_SERVICE when the files want nothing, NO_FOLDER
 */
export async function readProject(directory: string, sections: readonly Section[]): Promise<Wanted> {
  const problems = new Problems()
  const files = new ProjectFiles(await realFolder(directory), problems)
  const devcloud = await readDevcloud(files, sections, problems)
  const found: (Found<unknown> & { readonly section: Section })[] = []
  for (const section of sections) found.push({ section, ...(await section.read(devcloud.readingFor(section))) })
  const told = (key: 'project' | 'region') => devcloud[key] ?? found.find((one) => one[key] !== undefined)?.[key]
  const project = told('project') ?? projectIdFor(basename(files.directory))
  const region = told('region') ?? 'us-central1'
  const parts: Record<string, unknown> = {}
  for (const { section, wanted } of found) {
    const part = wanted({ project, region })
    if (part !== undefined) parts[section.product] = part
  }
  problems.throwIfAny()
  if (Object.keys(parts).length === 0) throw nothingWanted(basename(files.directory))
  return deepFreeze({ project, region, directory: files.directory, parts })
}

async function realFolder(directory: string): Promise<string> {
  const path = await realpath(resolve(directory)).catch(() => undefined)
  if (path !== undefined && (await stat(path)).isDirectory()) return path
  throw new CloudError('NOT_FOUND', `There is no folder ${directory}.`, 'devcloud up FOLDER', { fault: 'NO_FOLDER' })
}

function nothingWanted(folder: string): CloudError {
  return new CloudError(
    'INVALID_ARGUMENT',
    `Nothing in ${folder} says what to run.`,
    'Add a Dockerfile; or a service.yaml, a job.yaml, a Procfile with a "web:" line, a package.json with a "start" script, or "services:" in devcloud.yaml.',
    { fault: 'NO_SERVICE' },
  )
}

/** Bytes stay as they are: a typed array cannot be frozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
