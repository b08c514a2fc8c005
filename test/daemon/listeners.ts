import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Listener {
  readonly pid: number
  /** `127.0.0.1`, `::1`, or as the kernel writes any other address. */
  readonly address: string
  readonly port: number
}

/** The TCP ports on which a process and what it started listen, by the kernel's own tables. Linux alone. */
export function tcpListeners(root: number): readonly Listener[] {
  const rows = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'latin1').split('\n').slice(1))
  const listening = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[3] === '0A')
  return familyOf(root).flatMap((pid) => {
    const inodes = new Set(socketsOf(pid))
    return listening
      .filter((row) => inodes.has(row[9] ?? ''))
      .map((row) => {
        const [address = '', port = ''] = (row[1] ?? '').split(':')
        return { pid, address: names[address] ?? address, port: Number.parseInt(port, 16) }
      })
  })
}

/** Paths of the Unix sockets on which a process itself listens. */
export function unixListeners(pid: number): readonly string[] {
  const inodes = new Set(socketsOf(pid))
  // `Num RefCount Protocol Flags Type St Inode Path`, where flag 10000 is a socket that listens
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n').slice(1).map((row) => row.trim().split(/\s+/)) // prettier-ignore
  return rows.filter((row) => row[3] === '00010000' && inodes.has(row[6] ?? '')).map((row) => row[7] ?? '')
}

const names: Readonly<Record<string, string>> = {
  '0100007F': '127.0.0.1',
  '00000000000000000000000001000000': '::1',
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

function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
