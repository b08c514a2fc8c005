import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import type { ContainerStatus } from '../engine.ts'
import type { DockerHost } from './docker-host.ts'
import { execInContainer } from './exec-in-container.ts'

/** Docker's own resolver listens inside each container on this address. */
const dockerResolver = '127.0.0.11'

/**
 * What listens in a container: from the socket table of its first process where this host sees that process, else by `cat` inside.
 * An image without `cat`, on an engine elsewhere, gives none.
 */
export async function listeningSockets(
  host: DockerHost,
  id: string,
  pid: number,
  signal: AbortSignal,
): Promise<ContainerStatus['listening']> {
  const text = readTables(pid, id) ?? (await catTables(host, id, signal))
  const sockets = new Map(readSocketTable(text).map((socket) => [`${socket.host} ${socket.port}`, socket]))
  return [...sockets.values()].filter((socket) => socket.host !== dockerResolver)
}

/**
 * The lines of /proc/net/tcp and tcp6 that listen (state 0A): `0: 0100007F:1F90 00000000:0000 0A ...` is 127.0.0.1:8080. An address is words
 * of four bytes, each in the host's order.
 */
function readSocketTable(text: string): { readonly host: string; readonly port: number }[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    return state === '0A' ? [{ host: readAddress(address), port: Number.parseInt(port, 16) }] : []
  })
}

/** Undefined when the process is not this container's: a daemon in a container, or an engine elsewhere, has others under these ids. */
function readTables(pid: number, id: string): string | undefined {
  try {
    if (pid === 0 || !readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id)) return undefined
    return readFileSync(`/proc/${pid}/net/tcp`, 'utf8') + readFileSync(`/proc/${pid}/net/tcp6`, 'utf8')
  } catch {
    return undefined
  }
}

async function catTables(host: DockerHost, id: string, signal: AbortSignal): Promise<string> {
  const stdout = new PassThrough()
  const chunks: Buffer[] = []
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const stderr = new PassThrough().resume()
  const code = await execInContainer(host, id, ['cat', '/proc/net/tcp', '/proc/net/tcp6'], { stdout, stderr }, signal).catch(() => 1)
  return code === 0 ? Buffer.concat(chunks).toString() : ''
}

function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].toReversed())
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.every((byte) => byte === 0)) return '[::]'
  if (bytes.slice(0, 15).every((byte) => byte === 0)) return '[::1]'
  if (bytes[10] === 0xff && bytes[11] === 0xff) return bytes.slice(12).join('.')
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []
  return `[${groups.join(':')}]`
}
