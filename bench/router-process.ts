import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { createRevisionPool } from '../src/router/pool/pool.ts'
import { openRouter } from '../src/router/router.ts'
import { openState } from '../src/state/state.ts'
import { openRequestLog, requestTables } from '../src/telemetry/request-log.ts'

// `node router-process.ts BACKEND_PORT [h2c | SERVICES]`: our router as the daemon has it, with its pool, and its request log on disk. One service,
// `bench.localhost`, whose instance speaks HTTP/1.1 or h2c; and SERVICES others of 5 revisions each.
const backend = { host: '127.0.0.1', port: Number(process.argv[2]) }
const folder = mkdtempSync(join(tmpdir(), 'bench-router-'))
const state = openState(folder, [requestTables])
const requests = openRequestLog(state)
const router = await openRouter({
  port: 0,
  clock: systemClock,
  onRequest: (record) => requests.add(record),
  publicOrigins: () => [{ from: 'https://storage.googleapis.com', to: 'http://storage.localhost:45123' }],
})
const revision = (id: string) =>
  createRevisionPool({
    id,
    protocol: process.argv[3] === 'h2c' ? 'h2c' : 'http1',
    timeoutMs: 3_600_000,
    concurrency: 80,
    minInstances: 0,
    maxInstances: 1,
    pendingMs: 10_000,
    startInstance: async () => ({ id: 'i1', address: backend, stop: async () => {} }),
    clock: systemClock,
  })
const service = (name: string, revisions: number) =>
  router.setRoute({
    service: name,
    project: 'bench',
    hosts: [`${name}.localhost`, `${name}-x7k2-uc.a.run.app`, `${name}-123456789012.us-central1.run.app`],
    maxBodyBytes: Infinity,
    targets: Array.from({ length: revisions }, (_, n) => ({
      percent: n === 0 ? 100 : 0,
      upstream: revision(`${name}-0000${n + 1}-abc`),
      hosts: [`r${n}---${name}.localhost`],
    })),
  })
for (let n = 0; n < (Number(process.argv[3]) || 0); n += 1) service(`other-${n}`, 5)
service('bench', 1)
process.stdout.write(`${router.port}\n`)
process.once('SIGTERM', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
