import { DatabaseSync } from 'node:sqlite'
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the header of a database file says. The file is read without SQLite: nothing is locked or written. */
export type DatabaseFile =
  | { readonly kind: 'empty' } // absent, or of zero bytes
  | { readonly kind: 'foreign' } // no SQLite database
  | { readonly kind: 'database'; readonly schema: number }

const headerBytes = 100
/** Source: sqlite.org/fileformat.html, "The Database Header": the magic string, and at offset 60 the user version, big-endian. */
const magic = 'SQLite format 3\0'
const userVersionAt = 60

export function readDatabaseFile(directory: string): DatabaseFile {
  const header = readHeader(databasePath(directory))
  if (header.length === 0) return { kind: 'empty' }
  if (header.length < headerBytes || header.toString('latin1', 0, magic.length) !== magic) return { kind: 'foreign' }
  return { kind: 'database', schema: header.readUInt32BE(userVersionAt) }
}

/** The version of devcloud that opened the database last, from its own note. Read without a lock. */
export function readWriter(directory: string): string | undefined {
  try {
    using db = new DatabaseSync(new URL(`${pathToFileURL(databasePath(directory)).href}?immutable=1`), { readOnly: true })
    return db.prepare("SELECT value FROM meta WHERE key = 'version'").get()?.['value'] as string | undefined
  } catch {
    return undefined
  }
}

export function databasePath(directory: string): string {
  return join(directory, 'state.db')
}

function readHeader(path: string): Buffer {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const header = Buffer.alloc(headerBytes)
    return header.subarray(0, readSync(file, header, 0, headerBytes, 0))
  } finally {
    closeSync(file)
  }
}
