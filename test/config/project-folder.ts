import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CloudError } from '../../src/base/cloud-error.ts'
import { readWanted } from './read-wanted.ts'

export interface ProjectFolder extends AsyncDisposable {
  /** Real path of the project's folder, whose name is as given. */
  readonly path: string
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>
}

/** A folder in a temp directory of its own, with these files. */
export async function projectFolder(files: Readonly<Record<string, string | Uint8Array>>, name = 'guestbook'): Promise<ProjectFolder> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'devcloud-config-')))
  const path = join(parent, name)
  await mkdir(path)
  const folder: ProjectFolder = {
    path,
    async write(more) {
      for (const [file, text] of Object.entries(more)) {
        await mkdir(dirname(join(path, file)), { recursive: true })
        await writeFile(join(path, file), text)
      }
    },
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  }
  await folder.write(files)
  return folder
}

/** The fault that reading these files throws. */
export async function faultOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<CloudError> {
  await using folder = await projectFolder(files)
  return await faultIn(folder)
}

export async function faultIn(folder: ProjectFolder): Promise<CloudError> {
  const error = await readWanted(folder.path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof CloudError) return error
  throw new Error(`Expected a CloudError, got ${String(error)}`)
}

/** The lines of the problems of a devcloud.yaml, beside a Dockerfile that is fine. */
export async function problemsOf(devcloud: string): Promise<readonly string[]> {
  const fault = await faultOf({ Dockerfile: 'FROM scratch\nCMD ["/app"]\n', 'devcloud.yaml': devcloud })
  if (fault.fault !== 'CONFIG_INVALID') throw fault
  return fault.evidence
}
