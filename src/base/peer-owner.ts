import { readFile } from 'node:fs/promises'

/** Both ends of a TCP connection, as the side that accepted it sees them. */
export interface Ends {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

/** States of a socket whose process still has it open: established, half closed by either side. Source: include/net/tcp_states.h. */
const openStates = new Set(['01', '04', '05', '08'])

/** The read of the kernel's tables that is about to begin. One read serves every caller of the same turn of the event loop. */
let coming: Promise<readonly string[]> | undefined

/**
 * The uid of the process at the other end of a loopback connection. Undefined on systems other than Linux, and for a socket that no process holds
 * any more: the kernel assigns such a socket to root.
 */
export async function uidOfPeer(ends: Ends): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  coming ??= Promise.resolve().then(readTables)
  return uidIn(await coming, ends)
}

/** The uid according to tables that were read. Pure. @param lines the lines of /proc/net/tcp and /proc/net/tcp6 */
export function uidIn(lines: readonly string[], ends: Ends): number | undefined {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = ends
  const theirs = toKernelHex(remoteAddress).map((address) => `${address}:${hex16(remotePort)}`)
  // the address too: another user may listen at the same port of 127.0.0.2, and one port of a client's serves connections to both
  const ours = toKernelHex(localAddress).map((address) => `${address}:${hex16(localPort)}`)
  for (const line of lines) {
    // `0: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000 0 INODE`: the peer's own socket has ours as remote
    const [, local = '', remote = '', state = '', , , , uid = '', , inode] = line.trim().split(/\s+/)
    if (!ours.includes(remote) || !openStates.has(state) || inode === '0' || inode === undefined) continue
    if (theirs.includes(local)) return Number(uid)
  }
  return undefined
}

async function readTables(): Promise<readonly string[]> {
  coming = undefined // who asks from here on wants a newer one
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'latin1').catch(() => '')))
  return tables.flatMap((table) => table.split('\n'))
}

/** A loopback address as the kernel's tables write it: words of four bytes, each in the machine's byte order. Empty for an address that no door listens on. */
function toKernelHex(address: string): readonly string[] {
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (four !== null) {
    const word = four
      .slice(1)
      .toReversed()
      .map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
      .join('')
    return [word, `0000000000000000FFFF0000${word}`]
  }
  return address === '::1' ? ['00000000000000000000000001000000'] : []
}

function hex16(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
