import { constants, type Stats } from 'node:fs'
import { lstat, open, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { messageOf } from '../base/cloud-error.ts'
import type { Problems } from './problems.ts'
import type { Place } from './place.ts'

/** The largest configuration file, in bytes. A real file has some kilobytes. */
const largestBytes = 2 ** 20

/** Reads files in a project's folder, and no file outside. A file that cannot be read becomes a problem. */
export class ProjectFiles {
  /** The folder's real path. */
  readonly directory: string
  readonly #problems: Problems

  constructor(directory: string, problems: Problems) {
    this.directory = directory
    this.#problems = problems
  }

  /** The text of `file`, a path relative to the folder. Undefined for a missing file, and for one that cannot be read, which becomes a problem. */
  async text(file: string): Promise<string | undefined> {
    const place = { file, line: 1, column: 1 }
    const bytes = await this.bytes(file, place, largestBytes)
    if (bytes === undefined) return undefined
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      this.#problems.add(place, 'this is not UTF-8 text; save the file as UTF-8')
      return undefined
    }
  }

  /** The bytes of `file`. Undefined for a missing file. @param place the place that names the file, for a problem */
  async bytes(file: string, place: Place, limit: number): Promise<Uint8Array | undefined> {
    const path = join(this.directory, file)
    const found = await lstat(path).catch(() => undefined)
    if (found === undefined) return undefined
    const problem = await this.#unreadable(path, file, found, limit)
    if (problem !== undefined) {
      this.#problems.add(place, problem)
      return undefined
    }
    try {
      // Opened without blocking: the file may be a pipe by now.
      await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      return await handle.readFile()
    } catch (error) {
      this.#problems.add(place, `${file} cannot be read: ${messageOf(error)}`)
      return undefined
    }
  }

  /**
   * Resolves a path to one relative to the project's folder, with `.` for the folder itself. Undefined for a path that leads out of the folder (`..`, an
   * absolute path, a link) or is of the wrong kind; this becomes a problem at `place`.
   */
  async inside(path: string, place: Place, kind: 'folder' | 'file', base = '.'): Promise<string | undefined> {
    const absolute = resolve(this.directory, base, path)
    const within = relative(this.directory, absolute)
    const real = await realpath(absolute).catch(() => undefined)
    if (isAbsolute(path) || isOutside(within) || (real !== undefined && isOutside(relative(this.directory, real)))) {
      this.#problems.add(place, `"${path}" leads out of the project; write a path within its folder`)
      return undefined
    }
    const found = await stat(absolute).catch(() => undefined)
    if (found === undefined || (kind === 'folder' ? !found.isDirectory() : !found.isFile())) {
      this.#problems.add(place, `there is no ${kind} "${path}"${base === '.' ? '' : ` in ${base}`}; write the path of one`)
      return undefined
    }
    return within === '' ? '.' : within.split(sep).join('/')
  }

  async #unreadable(path: string, file: string, found: Stats, limit: number): Promise<string | undefined> {
    const real = await realpath(path).catch(() => undefined)
    if (real === undefined) return `${file} is a link to nothing; write the file or remove the link`
    if (isOutside(relative(this.directory, real))) return `${file} is a link out of the project; put the file into its folder`
    const target = found.isSymbolicLink() ? await stat(real) : found
    if (!target.isFile()) return `${file} is not a file; write a text file there`
    if (target.size > limit) return `${file} has ${target.size} bytes; at most ${limit} are read`
    return undefined
  }
}

function isOutside(within: string): boolean {
  return within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)
}
