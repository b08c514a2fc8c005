import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { openLog } from '../src/base/log.ts'
import { createRevisionPool } from '../src/router/pool.ts'
import { openRouter } from '../src/router/router.ts'
import { openState } from '../src/state/state.ts'
import { openRequestLog } from '../src/telemetry/request-log.ts'

// `node router-process.ts BACKEND_PORT [h2c]`: our router as the daemon has it, with its pool, and its request log on disk. One service, `bench.localhost`.
const backend = { host: '127.0.0.1', port: Number(process.argv[2]) }
const folder = mkdtempSync(join(tmpdir(), 'bench-router-'))
const state = openState(folder)
const requests = openRequestLog(state)
const router = await openRouter({
  port: 0,
  clock: systemClock,
  log: openLog(undefined),
  onRequest: (record) => requests.add(record),
  publicOrigins: () => [{ from: 'https://storage.googleapis.com', to: 'http://storage.localhost:45123' }],
})
const upstream = createRevisionPool({
  id: 'bench-00001-abc',
  protocol: process.argv[3] === 'h2c' ? 'h2c' : 'http1',
  concurrency: 80,
  minInstances: 0,
  maxInstances: 1,
  pendingMs: 10_000,
  startInstance: async () => ({ id: 'i1', address: backend, stop: async () => {} }),
  clock: systemClock,
})
router.setRoute({
  service: 'bench',
  project: 'bench',
  hosts: ['bench.localhost'],
  timeoutMs: 3_600_000,
  targets: [{ percent: 100, upstream }],
})
process.stdout.write(`${router.port}\n`)
process.once('SIGTERM', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
