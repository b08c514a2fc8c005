import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { controlSocketPath } from '../../src/base/paths.ts'
import { connectDaemon } from '../../src/cli/control-client.ts'

afterEach(() => vi.unstubAllEnvs())

test('a daemon that ends while a command waits is told in words, and not as ECONNREFUSED', async () => {
  const state = mkdtempSync(join(tmpdir(), 'devcloud-control-'))
  vi.stubEnv('DEVCLOUD_STATE_DIR', state)
  const server = createServer((request, response) => {
    if (request.url === '/version') response.end('{}')
    else request.socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(controlSocketPath(state), resolve))
  const client = await connectDaemon()
  const [message, next] = [expect.stringContaining('went away') as string, expect.stringContaining('devcloud status') as string]
  const told = { code: 'UNAVAILABLE', fault: 'DAEMON_FAILED', message, next }
  await expect(client.get('/waits'), 'the connection broke off').rejects.toMatchObject(told)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await expect(client.get('/waits'), 'nobody listens').rejects.toMatchObject(told)
  await expect(
    client.stream('/waits', undefined, () => {}),
    'nobody listens to a stream',
  ).rejects.toMatchObject(told)
})
