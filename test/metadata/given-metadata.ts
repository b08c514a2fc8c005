import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { openLog } from '../../src/base/log.ts'
import { metadataServer } from '../../src/metadata/metadata-server.ts'
import { openTokens, type Tokens } from '../../src/metadata/tokens.ts'
import { givenState } from '../api/given-api.ts'

export interface GivenMetadata extends AsyncDisposable {
  readonly tokens: Tokens
  /** `127.0.0.1:PORT`, as GCE_METADATA_HOST takes it. */
  readonly host: string
  /** Asks a path below /computeMetadata/v1/ with the header that it wants. */
  get(path: string, headers?: Record<string, string>): Promise<Response>
  text(path: string): Promise<string>
}

export const account = 'app@demo.iam.gserviceaccount.com'
export const instanceId = '0087244a80'.repeat(8)

/** A clock that stands until it is set. */
export function givenClock(): Clock & { advance(ms: number): void } {
  let nowMs = Date.now()
  return { nowMs: () => nowMs, ticksMs: () => nowMs, advance: (ms) => void (nowMs += ms) }
}

/** The metadata server on a loopback port, for an instance of project `demo` that runs as `email`. */
export async function givenMetadata(options: { readonly email?: string; readonly clock?: Clock } = {}): Promise<GivenMetadata> {
  const { email = account, clock = systemClock } = options
  const state = givenState()
  const tokens = await openTokens({ state, clock })
  const project = (id: string) => ({ id, number: '123456789012', region: 'us-central1' })
  const handler = metadataServer({ tokens, project, log: openLog(undefined), clock })
  const server = http.createServer((request, response) => handler(request, response, { project: 'demo', email, instanceId }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = (path: string, headers: Record<string, string> = { 'Metadata-Flavor': 'Google' }) =>
    fetch(`http://${host}/computeMetadata/v1/${path}`, { headers, redirect: 'manual' })
  return {
    tokens,
    host,
    get,
    text: async (path) => await (await get(path)).text(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await state[Symbol.asyncDispose]()
    },
  }
}
