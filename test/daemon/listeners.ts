import { readdirSync, readFileSync } from 'node:fs'
import { readListening, socketInodes } from '../../src/engine/process/proc.ts'

export interface Listener {
  readonly pid: number
  /** `127.0.0.1`, `::1`, or any other address of this machine; `::` is every one. */
  readonly address: string
  readonly port: number
}

/** The TCP ports on which a process and what it started listen, by the kernel's own tables. Linux alone. */
export function tcpListeners(root: number): readonly Listener[] {
  const listening = ['tcp', 'tcp6'].flatMap((table) => readListening(`/proc/net/${table}`))
  return familyOf(root).flatMap((pid) => {
    const inodes = new Set(socketInodes(pid))
    return listening
      .filter(({ inode }) => inodes.has(inode))
      .map(({ host, port }) => ({ pid, address: host.replaceAll(/[[\]]/g, ''), port }))
  })
}

/** Paths of the Unix sockets on which a process itself listens. */
export function unixListeners(pid: number): readonly string[] {
  const inodes = new Set(socketInodes(pid))
  // `Num RefCount Protocol Flags Type St Inode Path`, where flag 10000 is a socket that listens
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n').slice(1).map((row) => row.trim().split(/\s+/)) // prettier-ignore
  return rows.filter((row) => row[3] === '00010000' && inodes.has(row[6] ?? '')).map((row) => row[7] ?? '')
}

function familyOf(root: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const parent = /\) \S+ (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]
      return [[Number(name), Number(parent)] as const]
    } catch {
      return []
    }
  })
  const found = [root]
  for (const pid of found) found.push(...parents.filter(([, parent]) => parent === pid).map(([child]) => child))
  return found
}
