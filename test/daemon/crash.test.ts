import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, givenCli, type GivenCli } from '../cli/given-cli.ts'
import { eventually } from '../products/run/given-run.ts'
import { givenApp, server } from './given-app.ts'
import { isRunning } from './leftovers.ts'

const faults = fileURLToPath(new URL('faults.mjs', import.meta.url))
const app = givenApp('crash-app', server('process.pid'), { 'devcloud.yaml': 'secrets: { crash-key: { random: 16 } }\n' })

let cli: GivenCli
let url: string
let instance: string

beforeAll(async () => {
  cli = givenCli()
  // a small heap for the whole file: the daemon needs a third of it
  const env = { NODE_OPTIONS: `--import=${faults} --max-old-space-size=160` }
  expect(await cli.run(['daemon', 'start'], { env })).toMatchObject({ code: 0 })
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  url = /http:\S+/.exec(told.stdout)?.[0] ?? ''
  instance = (await ask(url)).body
})
afterAll(() => cli[Symbol.asyncDispose]())

const log = () =>
  readFileSync(join(cli.stateDirectory, 'daemon.log'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly level: number; readonly msg: string; readonly [key: string]: unknown })

/** Does a fault in the daemon. Answers the daemon's process id of before. */
async function fault(name: string): Promise<number> {
  const pid = await eventually('it answers', () => cli.daemonPid())
  writeFileSync(join(cli.stateDirectory, 'fault'), name)
  process.kill(pid, 'SIGUSR2')
  return pid
}

/** Nobody calls for it: what answers was started by the supervisor. */
async function untilServedAgain(pid: number): Promise<void> {
  await eventually('the daemon has ended', () => !isRunning(pid))
  await eventually('another one serves', async () => (await ask(url).catch(() => undefined))?.body === instance)
  expect(await cli.daemonPid()).not.toBe(pid)
}

test('F16: a daemon whose heap is exhausted is started again, and takes over what runs', async () => {
  await untilServedAgain(await fault('leak'))
  expect(readFileSync(join(cli.stateDirectory, 'daemon.out'), 'utf8')).toContain('heap out of memory')
  await expect.poll(() => log().some(({ exitCode }) => exitCode === 134 || exitCode === 133)).toBe(true)
})

test('F18: what holds the event loop is logged with its stack while it does, and the daemon says that it is busy', async () => {
  const blocked = () => log().find(({ msg, stack }) => msg === 'the event loop is blocked' && JSON.stringify(stack).includes('holdTheLoop'))
  const told: string[] = []
  // at work for a moment: an idle daemon is not watched
  for (const deadline = performance.now() + 40_000; blocked() === undefined && performance.now() < deadline;) {
    for (let round = 0; round < 30; round += 1) await Promise.all(Array.from({ length: 20 }, () => ask(url)))
    await fault('hold')
    told.push((await cli.run(['daemon', 'status'])).stderr)
  }
  expect(blocked()).toMatchObject({
    blockedMs: expect.any(Number),
    stack: expect.arrayContaining([expect.stringMatching(/^holdTheLoop .*faults\.mjs:\d+:\d+$/)]),
  })
  expect(told.at(-1)).toMatch(/has been busy for \d+ ms/)
  expect(told.at(-1)).toContain('holdTheLoop')
  await expect.poll(() => log().some(({ msg }) => msg === 'the event loop goes on'), { timeout: 10_000 }).toBe(true)
  await eventually('it answers', async () => (await cli.run(['daemon', 'status'])).code === 0)
})

test.for(['timer', 'promise', 'event', 'server'])(
  'F17: an exception that nobody caught, in a %s, ends the daemon with one report, and another one takes over what runs',
  async (name) => {
    const before = log().filter(({ msg }) => msg === 'the daemon crashed').length
    await untilServedAgain(await fault(name))
    const reports = log().filter(({ msg }) => msg === 'the daemon crashed')
    expect(reports).toHaveLength(before + 1)
    expect(reports.at(-1)).toMatchObject({ level: 60, err: { message: expect.any(String), stack: expect.stringContaining('faults.mjs') } })
    await expect.poll(() => log().at(-1)).toMatchObject({ exitCode: 70, msg: expect.stringContaining('takes over') })
  },
)

test('a daemon that is killed or stopped on purpose stays so', async () => {
  const pid = await cli.daemonPid()
  process.kill(pid, 'SIGKILL')
  await eventually('it has ended', () => !isRunning(pid))
  expect(await cli.run(['daemon', 'status'])).toMatchObject({ code: 4 })
  expect(await ask(url).catch((error: NodeJS.ErrnoException) => error.code)).toBe('ECONNREFUSED')
})
