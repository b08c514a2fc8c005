import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { vectors } from './desync-vectors.ts'
import { givenRouter, oneInstance } from './given-router.ts'

interface Seen {
  readonly target: string
  readonly body: string
}

interface Counting extends AsyncDisposable {
  readonly port: number
  seen(): Promise<readonly Seen[]>
}

async function givenNode(): Promise<Counting> {
  const seen: Seen[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (data: Buffer) => (body += data.toString('latin1')))
    request.on('end', () => {
      seen.push({ target: request.url ?? '', body })
      response.end('ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    seen: async () => seen,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

async function givenPython(): Promise<Counting> {
  const child = spawn('python3', [fileURLToPath(new URL('counting-backend.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(first.toString())
  return {
    port,
    seen: async () => (await (await fetch(`http://127.0.0.1:${port}/__seen`)).json()) as Seen[],
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test.each([
  ['Node', givenNode],
  ['Python', givenPython],
])(
  'an application of %s sees the requests that were sent, and none that was hidden in them',
  async (_name, givenCounting) => {
    await using app = await givenCounting()
    await using given = await givenRouter(oneInstance(app.port))
    let before = 0
    for (const { name, bytes, outcome } of vectors) {
      const text = await given.raw(bytes)
      const seen = await app.seen()
      const targets = seen.slice(before).map(({ target }) => target)
      before = seen.length
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
      const wanted =
        typeof outcome === 'number' ? { statuses: [outcome], targets: [] } : { statuses: outcome.map(() => 200), targets: outcome }
      expect({ name, statuses, targets }).toEqual({ name, ...wanted })
    }
    expect(vectors.length).toBeGreaterThanOrEqual(47)
  },
  30_000,
)
