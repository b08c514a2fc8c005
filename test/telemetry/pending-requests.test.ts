import { expect, test } from 'vitest'
import { PendingRequests } from '../../src/telemetry/pending-requests.ts'
import type { LoggedRequest } from '../../src/telemetry/logged-request.ts'

const request = (target: string, more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  timeMs: 1_795_000_000_123.5,
  project: 'p',
  service: 's',
  revision: 's-00001-abc',
  instance: 'i',
  method: 'GET',
  target,
  status: 200,
  latencyMs: 0.25,
  requestBytes: 2 ** 40,
  responseBytes: 5,
  userAgent: '',
  remoteIp: '127.0.0.1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  ...more,
})

test('a pending request is read as it was added, bytes above ASCII and empty texts included', () => {
  const pending = new PendingRequests(10)
  const given = request('/\u00e9\u00ff?a=%00', { userAgent: 'caf\u00e9', project: '', instance: '', status: 599 })
  pending.push(given)
  expect(pending.all()).toEqual([given])
  expect(pending.take()).toEqual(given)
  expect(pending.length).toBe(0)
  expect(() => pending.take()).toThrow('No request is pending.')
})

test('of too many pending requests the oldest give way, and none is lost or doubled as chunks fill and empty', () => {
  const pending = new PendingRequests(5000)
  const expected: string[] = []
  for (let n = 0; n < 40_000; n += 1) {
    const target = `/${n}/${'x'.repeat(n % 300)}`
    pending.push(request(target))
    expected.push(target)
    if (expected.length > 5000) expected.shift()
    if (n % 7 === 0) expect(pending.take().target).toBe(expected.shift())
    if (n === 20_000) while (pending.length > 0) expect(pending.take().target).toBe(expected.shift())
  }
  expect(pending.all().map(({ target }) => target)).toEqual(expected)
})

test('pending requests with long targets take a bounded number of bytes', () => {
  const pending = new PendingRequests(20_000)
  const long = 'x'.repeat(60_000)
  for (let n = 0; n < 400; n += 1) pending.push(request(`/${n}${long}`))
  pending.push(request('y'.repeat(500_000))) // longer than a chunk
  pending.push(request('/last'))
  expect(pending.length).toBeLessThan(300)
  expect(pending.all().at(-1)?.target).toBe('/last')
  expect(pending.all().at(-2)?.target).toHaveLength(500_000)
  expect(pending.all()).toHaveLength(pending.length)
})
