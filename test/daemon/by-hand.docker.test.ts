import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { forwarderName } from '../../src/engine/docker/forwarder.ts'
import { stateId } from '../../src/engine/docker/docker-host.ts'
import { eventually, givenRun, type GivenRun } from '../products/run/given-run.ts'

/** What is removed by hand is there again, or told, within this. */
const soonMs = 15_000

let run: GivenRun
let state: string

beforeAll(async () => {
  run = await givenRun()
  state = stateId(run.house.foundation.stateDirectory)
})
afterAll(() => run[Symbol.asyncDispose]())

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

function containersOf(label: string, value: string): string[] {
  const filters = [`label=dev.devcloud.state=${state}`, `label=dev.devcloud.${label}=${value}`]
  return docker('ps', '-q', '--no-trunc', ...filters.flatMap((filter) => ['--filter', filter]))
    .split('\n')
    .filter(Boolean)
}

const forwarder = () => forwarderName({ state } as Parameters<typeof forwarderName>[0], run.project)
const network = () => `devcloud-${run.project}-${state}`
const worker = {
  template: {
    containers: [
      { command: ['node', '-e', "process.on('SIGTERM', () => process.exit()); console.log('at work'); setInterval(() => {}, 1000)"] },
    ],
  },
}

test('F26: the forwarder and the network of a project come back by themselves, and an instance speaks to Google names again', async () => {
  await run.deploy('speaks', { template: { scaling: { minInstanceCount: 1 } } })
  const metadata = new URLSearchParams({
    url: 'http://metadata.google.internal/computeMetadata/v1/project/project-id',
    headers: '{"Metadata-Flavor":"Google"}',
  })
  const asks = async () => (await run.ask('speaks', `/fetch?${metadata}`)).body
  for (const remove of [
    () => docker('rm', '-f', forwarder()),
    () => docker('kill', forwarder()),
    () => docker('stop', '-t', '0', forwarder()),
  ]) {
    remove()
    await eventually('the forwarder runs', () => containersOf('role', 'forwarder').length === 1, soonMs)
    await eventually('names resolve', async () => (await asks()) === `200 ${run.project}`, soonMs)
  }

  docker('rm', '-f', ...containersOf('role', 'instance'), ...containersOf('role', 'forwarder'))
  execFileSync('sh', ['-c', `docker network rm ${network()} || docker network disconnect -f ${network()} ${forwarder()}; true`], {
    stdio: 'ignore',
  })
  await eventually('the network is there', () => docker('network', 'ls', '-q', '--filter', `name=^${network()}$`) !== '', soonMs)
  await eventually('the instance serves', async () => (await asks()) === `200 ${run.project}`, 30_000)
}, 120_000)

test('F26: containers of a service, a worker pool, a job and a database that are removed by hand are replaced, or told', async () => {
  const image = { image: run.image }
  await run.deploy('stays', { template: { scaling: { minInstanceCount: 1 } } })
  const sleeps = { ...image, ...worker.template.containers[0] }
  await run.call('POST', `${run.parent}/workerPools?workerPoolId=works`, { template: { containers: [sleeps] } })
  await run.call('POST', `${run.parent}/jobs?jobId=once`, { template: { template: { containers: [sleeps], maxRetries: 0 } } })
  const running = run.call('POST', `${run.parent}/jobs/once:run`, {})
  running.catch(() => {})
  const sql = `https://sqladmin.googleapis.com/sql/v1beta4/projects/${run.project}/instances`
  await run.house.api.call('POST', sql, { name: 'main', databaseVersion: 'POSTGRES_15', settings: { tier: 'db-f1-micro' } })
  await eventually('the database runs', () => containersOf('role', 'database').length === 1, 60_000)
  await run.house.api.call('GET', `${sql}/main/databases`) // answered by the server
  await eventually('all run', () => ['service', 'workerPool', 'job'].every((label) => has(label)))
  const before = new Set(containersOf('role', 'instance'))
  const database = containersOf('role', 'database')

  docker('rm', '-f', ...before, ...database)
  await eventually('a new instance', () => containersOf('label.service', 'stays').some((id) => !before.has(id)), 30_000)
  await eventually('a new worker', () => containersOf('label.workerPool', 'works').some((id) => !before.has(id)), 30_000)
  await expect(running).rejects.toThrow()
  const { executions } = await run.call('GET', `${run.parent}/jobs/once/executions`)
  const tasks = await run.call('GET', `${(executions as { readonly name: string }[])[0]?.name}/tasks`)
  expect(JSON.stringify(tasks)).toContain('removed while it ran')
  await eventually('the database is back', () => containersOf('role', 'database').some((id) => !database.includes(id)), 30_000)

  function has(label: string): boolean {
    const value = { service: 'stays', workerPool: 'works', job: 'once' }[label] ?? ''
    return containersOf(`label.${label}`, value).length > 0
  }
}, 180_000)

test('F26: an image that a revision was built into and that is removed is told in its log; what is of another project is left alone', async () => {
  const other = docker('run', '-d', '--label', `dev.devcloud.state=another-${state}`, '--label', 'dev.devcloud.role=forwarder', run.image)
  onTestFinished(() => void docker('rm', '-f', other))
  const name = `devcloud-test/gone-${state}`
  execFileSync('sh', ['-c', `printf 'FROM ${run.image}\\nENV GONE=${state}\\n' | docker build -q -t ${name} -`], { stdio: 'ignore' })
  const image = docker('image', 'inspect', '--format', '{{.Id}}', name)
  await run.deploy('gone', { container: { image } })
  docker('rm', '-f', ...containersOf('label.service', 'gone'))
  docker('image', 'rm', '-f', image)
  const told = () => run.house.foundation.containerLog.tail({ project: run.project, owner: 'gone' }, 100)
  await eventually('it is told', () => told().some(({ text }) => text.includes('was removed by hand')), soonMs)
  docker('kill', other)
  expect(docker('inspect', '--format', '{{.State.Running}}', other)).toBe('false')
}, 60_000)
