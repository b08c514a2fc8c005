import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDaemon } from '../src/daemon/daemon.ts'

// `node disturbed-process.ts BACKEND_PORT OBJECTS`: a daemon with Storage and its bucket `b` of so many objects, and with a route for `bench.localhost`.
// Prints the router's port, then the gateway's.
const [backendPort, objects] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'bench-disturbed-'))
const daemon = await openDaemon({ stateDirectory: folder, port: 0, products: ['storage'], onShutdown: () => {} })
const { foundation, gateway } = daemon.house
const lease = { instance: 'i1', address: { host: '127.0.0.1', port: backendPort ?? 0 }, release: () => {} }
foundation.router.setRoute({
  service: 'bench',
  project: 'bench',
  hosts: ['bench.localhost'],
  targets: [{ percent: 100, upstream: { id: 'bench-00001-abc', acquire: async () => lease, tryAcquire: () => lease } }],
})
const api = `http://127.0.0.1:${gateway.port}`
const json = { 'content-type': 'application/json' }
await fetch(`${api}/storage/v1/b?project=bench`, { method: 'POST', headers: json, body: '{"name":"bench-b"}' })
await fetch(`${api}/upload/storage/v1/b/bench-b/o?uploadType=media&name=seed`, { method: 'POST', body: 'seed' })
foundation.state.db.exec(`BEGIN; INSERT INTO object_live
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${objects ?? 0})
  SELECT bucket, CAST(printf('d%04d/o%06d', i / 1000, i) AS BLOB), generation, metageneration, size, crc32c, md5, created_ms, updated_ms,
    deleted_ms, components, blobs, attributes
  FROM n, (SELECT * FROM object_live WHERE name = CAST('seed' AS BLOB)); COMMIT`)
process.stdout.write(`${foundation.router.port}\n${gateway.port}\n`)
process.once('SIGTERM', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
