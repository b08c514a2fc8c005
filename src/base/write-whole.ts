import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file in one step: readers see the old content or the new content, never a half, and the new content outlives a power cut once this
 * returns. Writes nothing when the file holds `content` already.
 */
export function writeWhole(path: string, content: string | Uint8Array, mode: number): void {
  const bytes = Buffer.from(content)
  if (readBytes(path)?.equals(bytes) === true) return chmodSync(path, mode)
  const file = openSync(`${path}.new`, 'w', mode)
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(file, rest))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  chmodSync(`${path}.new`, mode)
  renameSync(`${path}.new`, path)
  syncDirectory(dirname(path))
}

/** Syncs a file: its bytes outlive a power cut. */
export function syncFile(path: string): void {
  sync(path, 'r+')
}

/** Syncs a folder: a name that was made, renamed or removed in `directory` stays so after a power cut. */
export function syncDirectory(directory: string): void {
  sync(directory, 'r')
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const handle = openSync(path, flags)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
