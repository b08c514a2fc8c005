import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

/** Who listens on a TCP port of this machine: `nginx (pid 811)`. Undefined where /proc does not say, as for a process of another user. */
export function portOwner(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = ['tcp', 'tcp6'].flatMap((table) => read(`/proc/net/${table}`).split('\n'))
  // `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 INODE`
  const inodes = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${hex}`))
  const wanted = new Set(inodes.map((fields) => `socket:[${fields[9]}]`))
  return wanted.size === 0 ? undefined : firstProcess((pid) => links(`/proc/${pid}/fd`).some((link) => wanted.has(link)))
}

/** Who holds a POSIX lock on a file; SQLite takes such locks. Undefined where /proc/locks does not say. */
export function lockOwner(path: string): string | undefined {
  try {
    const inode = statSync(path).ino
    // `1: POSIX  ADVISORY  WRITE 811 fd:00:2531452 1073741826 1073742335`
    const fields = read('/proc/locks')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    const pid = fields.find((line) => line[1] === 'POSIX' && line[5]?.split(':').at(-1) === String(inode))?.[4]
    return pid === undefined ? undefined : named(pid)
  } catch {
    return undefined
  }
}

function firstProcess(isIt: (pid: string) => boolean): string | undefined {
  const pid = list('/proc').find((name) => /^\d+$/.test(name) && isIt(name))
  return pid === undefined ? undefined : named(pid)
}

function named(pid: string): string {
  return `${read(`/proc/${pid}/comm`).trim() || 'a process'} (pid ${pid})`
}

function links(folder: string): string[] {
  return list(folder).flatMap((name) => {
    try {
      return readlinkSync(`${folder}/${name}`)
    } catch {
      return [] // closed meanwhile
    }
  })
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
