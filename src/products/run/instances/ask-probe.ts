import http from 'node:http'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../base/cloud-error.ts'
import type { Address } from '../../../router/upstream.ts'
import { askHealth } from './grpc-health.ts'
import type { ProbeHow } from './probes.ts'

/**
 * Asks once. A port that nobody listens on yet is asked again within the time, so that an application that starts fast is seen fast.
 * @returns undefined when it passed, else why not
 */
export async function askProbe(how: ProbeHow, address: Address, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  const late = AbortSignal.timeout(timeoutMs)
  const over = AbortSignal.any([signal, late])
  const first = performance.now()
  let why = `no answer within ${timeoutMs / 1000} s`
  while (!over.aborted) {
    try {
      return await once(how, address, over)
    } catch (error) {
      if (!isClosed(error)) return late.aborted ? why : messageOf(error)
      why = `nothing listens on port ${how.port}`
    }
    await sleep(performance.now() - first < 2000 ? 20 : 200, undefined, { signal: over }).catch(() => {})
  }
  signal.throwIfAborted()
  return why
}

async function once(how: ProbeHow, address: Address, signal: AbortSignal): Promise<string | undefined> {
  if (how.kind === 'tcp') return await connect(address, signal)
  if (how.kind === 'grpc') return await askHealth(address, how.service, signal)
  const status = await get(address, how.path, how.headers, signal)
  return status >= 200 && status < 400 ? undefined : `answered ${status}`
}

function connect(address: Address, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...address, signal })
    socket.once('error', reject).once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
  })
}

/** The status of an HTTP/1.1 answer, whose body is not read. Redirects are not followed. */
function get(address: Address, path: string, headers: readonly { name: string; value: string }[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const all = Object.fromEntries([['User-Agent', 'GoogleHC/1.0'], ...headers.map(({ name, value }) => [name, value])])
    const request = http.get({ ...address, path, agent: false, headers: all, signal }, (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    request.once('error', reject)
  })
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ECONNREFUSED', 'EHOSTUNREACH'].includes(String(error.code))
}
