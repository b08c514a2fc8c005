import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

/** Identifies a process by its id and its start time, since ids are reused. */
export interface ProcessIdentity {
  readonly pid: number
  /** The kernel's start time: clock ticks on Linux, text of ps elsewhere. */
  readonly startedAt: string
}

/** The process that has `pid` now. Undefined without such a process, and for a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    if (process.platform !== 'linux') {
      return { pid, startedAt: execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() }
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name may hold spaces and brackets
    return fields[0] === 'Z' ? undefined : { pid, startedAt: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt
}

/** The processes of a group. On systems other than Linux: the leader alone. */
export function groupMembers(group: number): number[] {
  if (process.platform !== 'linux') return [group]
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] === String(group) ? [Number(name)] : []
    } catch {
      return [] // it ended meanwhile
    }
  })
}

/** The sockets that these processes listen on, from /proc/net/tcp by inode. */
export function listeningSockets(pids: readonly number[]): { readonly host: string; readonly port: number }[] {
  if (process.platform !== 'linux') return []
  const inodes = new Set(pids.flatMap(socketInodes))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readListening(`/proc/net/${table}`)
      .filter((socket) => inodes.has(socket.inode))
      .map(({ host, port }) => ({ host, port })),
  )
}

/** `0100007F:1F90 ... 0A ... inode`: the listening lines of a socket table. */
export function readListening(path: string): { readonly host: string; readonly port: number; readonly inode: string }[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [address = '', port = ''] = (fields[1] ?? '').split(':')
      return fields[3] === '0A' ? [{ host: readAddress(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' }] : []
    })
}

/** `0100007F` is 127.0.0.1: words of four bytes, each in the host's order. */
function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].toReversed())
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.every((byte) => byte === 0)) return '[::]'
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return '[::1]'
  if (bytes[10] === 0xff && bytes[11] === 0xff) return bytes.slice(12).join('.')
  return `[${(hex.match(/.{4}/g) ?? []).join(':').toLowerCase()}]`
}

/** The inodes of the sockets that a process has open. */
export function socketInodes(pid: number): string[] {
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
