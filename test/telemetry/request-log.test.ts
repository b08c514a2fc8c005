import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openState } from '../../src/state/state.ts'
import type { LoggedRequest } from '../../src/telemetry/logged-request.ts'
import { openRequestLog, requestTables } from '../../src/telemetry/request-log.ts'
import { readLine } from '../../src/telemetry/severity.ts'

const request = (service: string, target: string): LoggedRequest => ({
  timeMs: 1,
  project: 'p',
  service,
  revision: `${service}-00001-abc`,
  instance: 'i',
  method: 'GET',
  target,
  status: 200,
  latencyMs: 3,
  requestBytes: 0,
  responseBytes: 2,
  userAgent: '',
  remoteIp: '127.0.0.1',
  traceId: '',
})

test('the request log outlives the daemon, newest last, and tells followers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'devcloud-telemetry-'))
  const followed: string[] = []
  {
    await using state = openState(directory, [requestTables])
    await using log = openRequestLog(state)
    log.follow({ project: 'p', service: 'a' }, ({ target }) => followed.push(target), new AbortController().signal)
    for (const target of ['/1', '/2', '/3']) log.add(request('a', target))
    log.add(request('b', '/other'))
    expect(log.tail({ project: 'p' }, 2).map(({ target }) => target)).toEqual(['/3', '/other'])
  }
  await using state = openState(directory, [requestTables])
  await using log = openRequestLog(state)
  expect(log.tail({ project: 'p', service: 'a' }, 2).map(({ target }) => target)).toEqual(['/2', '/3'])
  expect(log.tail({ project: 'q' }, 2)).toEqual([])
  expect(followed).toEqual(['/1', '/2', '/3'])
})

test('run trap 52: stderr text has no severity of its own, a line of JSON has the one it says', () => {
  expect(readLine('Traceback (most recent call last):')).toEqual({ severity: 'DEFAULT', text: 'Traceback (most recent call last):' })
  expect(readLine('{"severity":"warn","message":"slow"}')).toEqual({ severity: 'WARNING', text: 'slow' })
  expect(readLine('{"severity":"nonsense"}')).toEqual({ severity: 'DEFAULT', text: '{"severity":"nonsense"}' })
  expect(readLine('{broken')).toEqual({ severity: 'DEFAULT', text: '{broken' })
})

test('of a flood of requests the newest 20,000 stay, in order, on disk as in memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'devcloud-telemetry-'))
  const newest = Array.from({ length: 20_000 }, (_, n) => `/${n + 5000}`)
  {
    await using state = openState(directory, [requestTables])
    await using log = openRequestLog(state)
    for (let n = 0; n < 25_000; n += 1) {
      log.add(request('a', `/${n}`))
      if (n === 12_000) await sleep(700) // some are on disk, others wait
    }
    expect(
      log
        .tail({ project: 'p' }, 30_000)
        .map(({ target }) => target)
        .slice(-20_000),
    ).toEqual(newest)
  }
  await using state = openState(directory, [requestTables])
  await using log = openRequestLog(state)
  expect(log.tail({ project: 'p' }, 30_000).map(({ target }) => target)).toEqual(newest)
})

test('a write of the log stops the event loop for few rows, and what it holds is committed without a turn', async () => {
  await using state = openState(mkdtempSync(join(tmpdir(), 'devcloud-telemetry-')), [requestTables])
  await using log = openRequestLog(state)
  for (let n = 0; n < 5000; n += 1) log.add(request('a', `/${n}`))
  const written = () => Number(state.db.prepare('SELECT count(*) AS n FROM requests').get()?.['n'])
  while (written() === 0) await sleep(20)
  expect(written()).toBeLessThanOrEqual(256)
})
