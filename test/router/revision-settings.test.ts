import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { RouteTarget, Upstream } from '../../src/router/upstream.ts'
import { givenRouter, oneInstance, type GivenRouter } from './given-router.ts'
import { ask, givenH2Client } from './h2/given-h2.ts'

interface Answer {
  readonly status: number
  readonly cookie: string | undefined
}
type Ask = (given: GivenRouter, host: string, cookie?: string) => Promise<Answer>

const clients: readonly [string, Ask][] = [
  [
    'HTTP/1.1',
    async (given, host, cookie = 'a=b') => {
      const text = await given.raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`)
      return { status: Number(text.slice(9, 12)), cookie: /\r\nSet-Cookie: (GAESA=[\w-]+);/.exec(text)?.[1] }
    },
  ],
  [
    'HTTP/2',
    async (given, host, cookie = 'a=b') => {
      using client = givenH2Client(given.router.port, { host })
      const { status, headers } = await ask(client, { cookie })
      return { status, cookie: headers['set-cookie']?.[0]?.split(';')[0] }
    },
  ],
]

async function givenHttp(listener: RequestListener) {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

for (const [protocol, get] of clients) {
  test(`a revision has its own request timeout, whatever the latest one has, by ${protocol}`, async () => {
    await using app = await givenHttp((_request, response) => void setTimeout(() => response.end(), 800))
    const targets: RouteTarget[] = [
      { percent: 100, upstream: { ...oneInstance(app.port), timeoutMs: 60_000 } },
      { percent: 0, upstream: { ...oneInstance(app.port), id: 'old', timeoutMs: 200 }, hosts: ['old---app.localhost'] },
    ]
    await using given = await givenRouter(oneInstance(1), { route: { targets } })
    expect((await get(given, 'old---app.localhost')).status).toBe(504)
    expect((await get(given, 'app.localhost')).status).toBe(200)
  })

  test(`run trap 50: a revision without session affinity binds nobody beside one that does, by ${protocol}`, async () => {
    await using app = await givenHttp((_request, response) => void response.end())
    const asked: string[] = []
    const revision = (id: string, sessionAffinity: boolean): Upstream => ({
      id,
      sessionAffinity,
      async acquire(_signal, preferred) {
        asked.push(`${id} ${preferred}`)
        return { instance: 'i1', address: { host: '127.0.0.1', port: app.port }, release() {} }
      },
    })
    const targets: RouteTarget[] = [
      { percent: 1, upstream: revision('bound', true), hosts: ['bound---app.localhost'] },
      { percent: 99, upstream: revision('free', false), hosts: ['free---app.localhost'] },
    ]
    await using given = await givenRouter(oneInstance(1), { route: { targets } })
    expect((await get(given, 'free---app.localhost')).cookie).toBeUndefined()
    const { cookie } = await get(given, 'bound---app.localhost')
    expect(cookie).toBeDefined()
    for (let n = 0; n < 10; n += 1) expect((await get(given, 'app.localhost', cookie)).cookie).toBeUndefined()
    await get(given, 'free---app.localhost', `GAESA=${Buffer.from('free\ni1').toString('base64url')}`)
    expect(asked).toEqual(['free undefined', 'bound undefined', ...Array.from({ length: 10 }, () => 'bound i1'), 'free undefined'])
  })
}
