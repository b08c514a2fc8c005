import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'
import type { Json } from '../../../../src/api/google-api.ts'

let run: GivenRun
beforeAll(async () => {
  run = await givenRun()
})
afterAll(() => run[Symbol.asyncDispose]())

const sh = (name: string, script: string, more: object = {}) => ({
  name,
  image: 'debian:bookworm-slim',
  command: ['sh', '-c', script],
  ...more,
})
/** A sidecar that serves port 9000 after a second, and says when it is told to end. */
const server = (more: object = {}) => {
  const program = `process.on('SIGTERM', () => { console.log('side ends'); process.exit() })
setTimeout(() => require('node:http').createServer((q, r) => r.end('from the sidecar')).listen(9000), 1000)`
  return { name: 'side', image: run.image, command: ['node', '-e', program], ...more }
}
const client =
  "fetch('http://side:9000').then(async (r) => console.log(await r.text())).catch((e) => { console.log(String(e)); process.exit(5) })"
const startupProbe = { tcpSocket: { port: 9000 }, periodSeconds: 1, failureThreshold: 30 }

const create = (id: string, containers: readonly object[], more: object = {}) =>
  run.call('POST', `${run.parent}/jobs?jobId=${id}`, { template: { template: { containers, maxRetries: 0, ...more } } })
const execute = (id: string): Promise<Json> => run.call('POST', `${run.parent}/jobs/${id}:run`)
const linesOf = (id: string) => run.house.foundation.containerLog.tail({ project: run.project, owner: id }, 1000).map(({ text }) => text)
const containersOf = (id: string) =>
  execFileSync(
    'docker',
    ['ps', '-aq', '--filter', `label=dev.devcloud.label.job=${id}`, '--filter', `label=dev.devcloud.project=${run.project}`],
    {
      encoding: 'utf8',
    },
  )
    .split('\n')
    .filter(Boolean)

test('a task waits for the startup probe of its sidecar, meets it by name, and ends it with itself', async () => {
  await create('pair', [{ name: 'main', image: run.image, command: ['node', '-e', client], dependsOn: ['side'] }, server({ startupProbe })])
  expect(await execute('pair')).toMatchObject({ succeededCount: 1 })
  expect(linesOf('pair').toSorted()).toEqual(['from the sidecar', 'side ends'])
  await eventually('nothing of it is left', () => containersOf('pair').length === 0)
})

test('the exit code of the first container is that of the task, whatever its sidecars do', async () => {
  await create('fails', [sh('main', 'exit 4'), sh('side', 'trap "exit 0" TERM; while true; do sleep 0.1; done')])
  await expect(execute('fails')).rejects.toThrow()
  const { tasks } = await run.call('GET', `${run.parent}/jobs/fails/executions/-/tasks`)
  expect(tasks).toMatchObject([{ lastAttemptResult: { exitCode: 4 } }])
  await create('quick', [sh('main', 'echo done'), sh('side', 'trap "exit 0" TERM; while true; do sleep 0.1; done'), sh('short', 'exit 3')])
  expect(await execute('quick')).toMatchObject({ succeededCount: 1 })
  expect(linesOf('quick')).toEqual(['done'])
})

test('a sidecar that ends before its startup probe succeeded fails the attempt, and the task never starts', async () => {
  await create('broken', [sh('main', 'echo never', { dependsOn: ['side'] }), sh('side', 'exit 3', { startupProbe })])
  await expect(execute('broken')).rejects.toThrow()
  const { tasks } = await run.call('GET', `${run.parent}/jobs/broken/executions/-/tasks`)
  expect(tasks).toMatchObject([
    { lastAttemptResult: { status: { message: 'The user-provided container ended before its instance was up. It exited 3.' } } },
  ])
  expect(linesOf('broken')).toEqual([])
  expect(containersOf('broken')).toEqual([])
})

test('a task at its timeout takes its sidecars along', async () => {
  const waits = 'trap "exit 0" TERM; while true; do sleep 0.1; done'
  await create('late', [sh('main', waits), sh('side', waits)], { timeout: '2s' })
  await expect(execute('late')).rejects.toThrow()
  await eventually('nothing of it is left', () => containersOf('late').length === 0)
})

test('a later daemon adopts a task with its sidecar', async () => {
  await create('kept', [sh('main', 'echo up; until [ -e /go ]; do sleep 0.1; done'), server()])
  void execute('kept').catch(() => {})
  await eventually('both run', () => containersOf('kept').length === 2 && linesOf('kept').includes('up'))
  const before = containersOf('kept').toSorted()
  await run.restart()
  await eventually('its execution goes on', () => linesOf('kept').includes('up'))
  expect(containersOf('kept').toSorted()).toEqual(before)
  const filters = ['--filter', 'label=dev.devcloud.label.job=kept', '--filter', `label=dev.devcloud.project=${run.project}`]
  const main = execFileSync('docker', ['ps', '-q', ...filters, '--filter', 'label=dev.devcloud.label.container=main'], { encoding: 'utf8' })
  execFileSync('docker', ['exec', main.trim(), 'touch', '/go'])
  await eventually('it succeeds', async () => {
    const { executions } = await run.call('GET', `${run.parent}/jobs/kept/executions`)
    return JSON.stringify(executions).includes('"succeededCount":1')
  })
  expect(linesOf('kept').toSorted()).toEqual(['side ends', 'up'])
  await eventually('nothing of it is left', () => containersOf('kept').length === 0)
})

test('a task that lost its sidecar while nobody looked is taken away by a later daemon, and has failed', async () => {
  await create('torn', [sh('main', 'echo up; while true; do sleep 0.1; done'), server()])
  void execute('torn').catch(() => {})
  await eventually('both run', () => containersOf('torn').length === 2 && linesOf('torn').includes('up'))
  const filters = ['--filter', 'label=dev.devcloud.label.job=torn', '--filter', `label=dev.devcloud.project=${run.project}`]
  const side = execFileSync('docker', ['ps', '-q', ...filters, '--filter', 'label=dev.devcloud.label.sidecar=yes'], { encoding: 'utf8' })
  execFileSync('docker', ['rm', '-f', side.trim()])
  await run.restart()
  await eventually('it has failed', async () => {
    const { executions } = await run.call('GET', `${run.parent}/jobs/torn/executions`)
    return JSON.stringify(executions).includes('"failedCount":1')
  })
  expect(containersOf('torn')).toEqual([])
})
