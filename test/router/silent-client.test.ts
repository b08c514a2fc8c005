import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openRouter } from '../../src/router/router.ts'

test('clients that have said nothing yet, or half of a TLS handshake, do not keep the router from closing', async () => {
  const router = await openRouter({ port: 0, clock: systemClock, onRequest: () => {} })
  const ended: Promise<unknown>[] = []
  for (const first of ['', 'PRI * HT', 'GET / HT', '\x16\x03\x01']) {
    const client = net.connect({ host: '127.0.0.1', port: router.port }).on('error', () => {})
    await new Promise((resolve) => client.once('connect', resolve))
    client.write(Buffer.from(first, 'latin1'))
    ended.push(new Promise((resolve) => client.resume().once('close', resolve)))
  }
  await sleep(50)
  const closed = router[Symbol.asyncDispose]().then(() => 'closed')
  expect(await Promise.race([closed, sleep(9000, 'still open')])).toBe('closed')
  await Promise.all(ended)
})
