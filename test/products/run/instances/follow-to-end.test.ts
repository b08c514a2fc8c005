import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../../../src/base/log.ts'
import type { Container, Engine } from '../../../../src/engine/engine.ts'
import { openProcessEngine } from '../../../../src/engine/process/process-engine.ts'
import { followToEnd, type FollowOptions } from '../../../../src/products/run/instances/follow-to-end.ts'
import { toInstance } from '../../../../src/products/run/instances/instance.ts'

const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-follow-'))
const soon = () => AbortSignal.timeout(30_000)
let engine: Engine
let image: string

beforeAll(async () => {
  engine = await openProcessEngine({ stateDirectory, log: openLog(undefined) })
  const directory = mkdtempSync(join(tmpdir(), 'follow-app-'))
  image = (await engine.build({ project: 'follow', name: 'app', directory, command: ['true'] }, () => {}, soon())).image
})
afterAll(async () => {
  await engine.removeProject('follow', soon())
  rmSync(stateDirectory, { recursive: true, force: true })
})

function start(name: string, program: string): Promise<Container> {
  const spec = { name, project: 'follow', image, command: ['node', '-e', program], env: {}, mounts: [], labels: {}, serviceAccount: '' }
  return engine.start(spec, soon())
}

/** Follows, and notes what is told. */
function follow(containers: readonly [Container, ...Container[]], until: FollowOptions['until'] = 'main', signal = soon()) {
  const lines: string[] = []
  const unreadable: string[] = []
  const following = followToEnd(
    openLog(undefined),
    toInstance(containers),
    { until, onLine: ({ text }) => lines.push(text), onUnreadable: (container) => unreadable.push(container.name) },
    signal,
  )
  return { lines, unreadable, ...following }
}

/** Tells its process id, and ends by SIGUSR2 with the code 7. */
const waits = "console.log(process.pid); process.on('SIGUSR2', () => process.exit(7)); setTimeout(() => {}, 1e8)"

function damageLog(container: Container): void {
  appendFileSync(join(stateDirectory, 'process/containers', container.id, 'log'), 'no line of a log\n')
}

test('a container whose output cannot be read is told once, is not forgotten, and its end is told', async () => {
  const container = await start('damaged', waits)
  const told = follow([container])
  await expect.poll(() => told.lines).toHaveLength(1)
  damageLog(container)
  await expect.poll(() => told.unreadable, { timeout: 10_000 }).toEqual(['damaged'])
  expect(container.state).toBe('running')
  process.kill(Number(told.lines[0]), 'SIGUSR2')
  expect(await told.ended).toMatchObject({ state: 'exited', exitCode: 7 })
  expect(told.unreadable).toEqual(['damaged'])
})

test('when the first container ends the others are stopped, and all their lines were given', async () => {
  const main = await start('main', "console.log('main'); setTimeout(() => process.exit(3), 300)")
  const sidecar = await start(
    'sidecar',
    "console.log('sidecar'); process.on('SIGTERM', () => { console.log('last'); process.exit(0) }); setTimeout(() => {}, 1e8)",
  )
  const told = follow([main, sidecar])
  expect(await told.ended).toMatchObject({ exitCode: 3 })
  expect(sidecar.state).toBe('exited')
  expect(told.lines.toSorted()).toEqual(['last', 'main', 'sidecar'])
})

test('until any: a sidecar that ends is the end; a stop ends all; a signal leaves them running', async () => {
  const [main, sidecar] = [await start('any-main', waits), await start('any-sidecar', 'process.exit(5)')]
  expect(await follow([main, sidecar], 'any').ended).toMatchObject({ exitCode: 5 })
  expect(main.state).toBe('exited')

  const stays = await start('stays', waits)
  const closing = new AbortController()
  const left = follow([stays], 'any', closing.signal)
  await expect.poll(() => left.lines).toHaveLength(1)
  closing.abort(new Error('The daemon ends.'))
  await expect(left.ended).rejects.toThrow('The daemon ends.')
  expect(stays.state).toBe('running')

  const stopped = follow([stays], 'any')
  stopped.stop()
  expect(await stopped.ended).toMatchObject({ state: 'exited' })
})
