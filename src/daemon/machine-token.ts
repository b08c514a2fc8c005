import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { writeWhole } from '../base/write-whole.ts'

/** A secret of this machine in a file of mode 0600: whoever can read it is the user who owns the daemon. */
export interface MachineToken {
  readonly value: string
  /** For the proxy's user part: it opens tunnels to other hosts than Google's, and nothing else. */
  readonly tunnelValue: string
  /** Whether a request shows it: as `X-Devcloud-Token`, as a bearer token, or in the user part of its URL. */
  isIn(headers: IncomingHttpHeaders): boolean
  /** Whether a CONNECT shows the tunnel's. */
  allowsTunnel(headers: IncomingHttpHeaders): boolean
}

/** Reads it from `endpoint-token` of the state directory, or makes it there. */
export function openMachineToken(stateDirectory: string): MachineToken {
  const path = join(stateDirectory, 'endpoint-token')
  const value = read(path) ?? write(path, randomBytes(24).toString('base64url'))
  const tunnelValue = createHmac('sha256', value).update('tunnel').digest('base64url').slice(0, 32)
  return {
    value,
    tunnelValue,
    isIn(headers) {
      const told = headers['x-devcloud-token']
      return [typeof told === 'string' ? told : '', ...credentialsIn(headers.authorization)].some((one) => isSame(one, value))
    },
    allowsTunnel: (headers) => credentialsIn(headers['proxy-authorization']).some((one) => isSame(one, tunnelValue)),
  }
}

/** `Bearer TOKEN`, or `Basic` of `TOKEN:` or `devcloud:TOKEN`, as clients make it from the user part of a URL. */
function credentialsIn(header: string | undefined): readonly string[] {
  const [, scheme = '', rest = ''] = /^(\w+) +(\S+)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return [rest]
  return scheme.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64').toString('utf8').split(':') : []
}

function isSame(told: string, known: string): boolean {
  const [a, b] = [told, known].map((text) => createHmac('sha256', 'devcloud').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return /^[\w-]{32}$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

function write(path: string, value: string): string {
  writeWhole(path, value, 0o600)
  return value
}
