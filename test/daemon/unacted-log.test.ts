import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cleanProject } from '../../src/daemon/clean.ts'
import { openDaemon } from '../../src/daemon/daemon.ts'

test('what a service asks for and does not get stands in its log', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-unacted-'))
  await using opened = new AsyncDisposableStack()
  opened.defer(() => rmSync(stateDirectory, { recursive: true, force: true }))
  const { house } = opened.use(await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} }))
  const parent = 'projects/unacted-log/locations/us-central1'
  const template = { containers: [{ image: 'nobody/has-this-image:1' }], vpcAccess: { connector: 'c' }, encryptionKey: 'k' }
  const first = await house.api.call('POST', `https://run.googleapis.com/v2/${parent}/services?serviceId=web`, { template })
  const run =
    String((first['metadata'] as { readonly latestCreatedRevision?: string }).latestCreatedRevision)
      .split('/')
      .at(-1) ?? ''
  const lines = house.foundation.containerLog.tail({ project: 'unacted-log', owner: 'web', run }, 50).map(({ text }) => text)
  expect(lines).toContainEqual(expect.stringContaining('Stored and not acted upon by devcloud: VPC access'))
  await house.api.call('POST', `https://run.googleapis.com/v2/${String(first['name'])}:wait`, { timeout: '60s' })
  await cleanProject(house, 'unacted-log', () => {}) // an engine made a network for it
})
