import { symlinkSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test, vi } from 'vitest'
import { eventually, givenRun } from '../products/run/given-run.ts'

afterEach(() => vi.unstubAllEnvs())

test('an engine that does not answer at the start is asked until it does; what runs there is then taken over (F20)', async () => {
  await using run = await givenRun()
  await run.deploy('late', { template: { scaling: { minInstanceCount: 1 } } })
  const { body: id } = await run.ask('late', '/id')
  const socket = join(await mkdtemp(join(tmpdir(), 'dc-late-')), 'docker.sock')
  vi.stubEnv('DOCKER_HOST', `unix://${socket}`)
  await run.restart()
  symlinkSync('/var/run/docker.sock', socket)
  await eventually('the same instance serves', async () => (await run.ask('late', '/id')).body === id)
}, 120_000)
