import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { givenCli } from './given-cli.ts'
import type { LogEvent, StatusAnswer } from '../../src/daemon/control-protocol.ts'

test('devcloud up makes the jobs of devcloud.yaml, runs what has a schedule on time, and stops that with down', async () => {
  await using cli = givenCli()
  const directory = join(cli.stateDirectory, 'batch-shop')
  await mkdir(directory)
  const write = (schedule: string) =>
    writeFile(
      join(directory, 'devcloud.yaml'),
      `services: {}
jobs:
  tick:
    dir: .
    command: [node, -e, 'console.log("tick", process.env.CLOUD_RUN_TASK_INDEX, process.env.PORT)']
    tasks: 2
${schedule}  never: { dir: ., command: [node, -e, 'console.log("never")'] }
`,
    )
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli.run(args, { directory })
    if (code !== 0) throw new Error(`devcloud ${args.join(' ')} exited ${code}\n${stdout}${stderr}`)
    return args[0] === 'up' ? stdout + stderr : stdout
  }
  const job = async (id: string) =>
    (JSON.parse(await run('status', '--json')) as StatusAnswer).projects[0]?.resources.find((one) => one.kind === 'job' && one.id === id)
  await write('    schedule: "* * * * *"\n')
  expect(await run('up', '--plan')).toMatch(/job tick .*2 tasks[^]*schedule {2,}\* \* \* \* \* · UTC/)
  const second = new Date().getSeconds()
  if (second > 40) await sleep((61 - second) * 1000) // what follows is asked before the job runs, at the next full minute
  expect(await run('up', '-d', '--engine', 'process')).toMatch(/job tick.*created, runs next at 20/)
  expect(await job('tick')).toMatchObject({ state: 'never run', detail: expect.stringMatching(/^\* \* \* \* \* UTC · next 20.*Z$/) })
  expect(await run('status')).toMatch(/job {2,}tick .*\* \* \* \* \* UTC · next/)
  expect(await run('up', '-d')).toMatch(/job never.*unchanged/)
  await write('')
  expect(await run('up', '-d')).toMatch(/job tick +updated +\d/)
  expect(await job('tick')).not.toHaveProperty('detail')
  await write('    schedule: "* * * * *"\n')
  await run('up', '-d')

  // the time until then is what this test takes: what needs no run is asked before
  await expect.poll(async () => (await job('tick'))?.state, { timeout: 90_000, interval: 1000 }).toBe('succeeded')
  const logged = (await run('logs', 'tick', '--json'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogEvent)
  expect(
    logged
      .map((event) => event.kind === 'log' && event.text)
      .toSorted()
      .slice(0, 2),
  ).toEqual(['tick 0 undefined', 'tick 1 undefined'])
  expect(await run('logs')).toMatch(/tick-[a-z0-9]{5}-task1 +tick 1/)

  await run('down')
  expect(await job('tick')).toMatchObject({ detail: '* * * * * UTC' }) // it has no next time
}, 180_000)
