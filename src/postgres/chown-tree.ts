import { lchownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Gives a folder and everything below it to an owner; links themselves, never what they point at. */
export function chownTree(path: string, owner: { readonly uid: number; readonly gid: number }): void {
  lchownSync(path, owner.uid, owner.gid)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    if (entry.isDirectory()) chownTree(below, owner)
    else lchownSync(below, owner.uid, owner.gid)
  }
}
