import { posix } from 'node:path'
import { isRecord } from '../../../base/is-record.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { dockerfilePlace } from './dockerfile-place.ts'
import type { Problems } from '../../../config/problems.ts'
import type { ProjectFiles } from '../../../config/project-files.ts'
import type { Place } from '../../../config/place.ts'

/** What a folder has to build or to run, each with the line that says so. */
export interface Sources {
  /** There is a file `Dockerfile`. */
  readonly dockerfile?: { readonly from: Place }
  /** The `web:` line of the Procfile, else `npm start`. */
  readonly command?: { readonly words: readonly string[]; readonly from: Place }
}

/** @param dir relative to the project's folder, `.` for itself */
export async function readSources(files: ProjectFiles, dir: string, problems: Problems): Promise<Sources> {
  const dockerfile = await readDockerfile(files, posix.join(dir, 'Dockerfile'))
  const command =
    (await readProcfile(files, posix.join(dir, 'Procfile'))) ?? (await readPackage(files, posix.join(dir, 'package.json'), problems))
  return { ...(dockerfile !== undefined && { dockerfile }), ...(command !== undefined && { command }) }
}

async function readDockerfile(files: ProjectFiles, file: string): Promise<Sources['dockerfile']> {
  const text = await files.text(file)
  return text === undefined ? undefined : { from: dockerfilePlace(text, file) }
}

/** `web: gunicorn -b :$PORT main:app` */
async function readProcfile(files: ProjectFiles, file: string): Promise<Sources['command']> {
  const text = await files.text(file)
  if (text === undefined) return undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, command] = /^web:\s*(\S.*?)\s*$/.exec(line) ?? []
    if (command !== undefined) return { words: ['sh', '-c', command], from: { file, line: index + 1, column: 1 } }
  }
  return undefined
}

/** `"scripts": { "start": "node server.js" }` */
async function readPackage(files: ProjectFiles, file: string, problems: Problems): Promise<Sources['command']> {
  const text = await files.text(file)
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    const scripts = isRecord(parsed) ? parsed['scripts'] : undefined
    if (!isRecord(scripts) || typeof scripts['start'] !== 'string') return undefined
  } catch (error) {
    problems.add({ file, line: 1, column: 1 }, `this is not JSON (${messageOf(error)}); mend it`)
    return undefined
  }
  const start = Math.max(0, text.search(/"scripts"\s*:\s*\{/))
  const offset = start + Math.max(0, text.slice(start).search(/"start"\s*:/))
  const above = text.slice(0, offset).split('\n')
  return { words: ['npm', 'start', '--silent'], from: { file, line: above.length, column: (above.at(-1)?.length ?? 0) + 1 } }
}
