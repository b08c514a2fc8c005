import { execFileSync } from 'node:child_process'
import http from 'node:http'
import { ExecutionsClient, JobsClient, type protos } from '@google-cloud/run'
import { credentials } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { controlSocketPath } from '../../../../src/base/paths.ts'
import type { LogEvent } from '../../../../src/daemon/control-protocol.ts'
import { givenCli, type GivenCli } from '../../../cli/given-cli.ts'
import { eventually } from '../given-run.ts'

const project = `killed-${process.pid}-${Date.now().toString(36)}`
const parent = `projects/${project}/locations/us-central1`

/** What the daemon's control socket answers. */
function control(cli: GivenCli, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath: controlSocketPath(cli.stateDirectory), path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.once('end', () => resolve(text))
    })
    request.once('error', reject)
  })
}

/** Google's clients on the endpoints of the daemon, which is started when there is none. */
async function connect(cli: GivenCli) {
  await cli.run(['ps'])
  const answer = await control(cli, '/env?endpoints=true')
  const [, port] = /localhost:(\d+)/.exec(answer) ?? []
  const options = { apiEndpoint: 'localhost', port: Number(port), sslCreds: credentials.createInsecure() }
  const jobs = new JobsClient(options)
  const executions = new ExecutionsClient(options)
  return {
    jobs,
    executions,
    [Symbol.asyncDispose]: async () => void (await Promise.all([jobs.close(), executions.close()])),
  }
}

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
const labelled = (...pairs: string[]) => pairs.flatMap((pair) => ['--filter', `label=dev.devcloud.label.${pair}`])

/** The tasks whose containers run. */
function running(execution: string): string[] {
  return docker('ps', ...labelled(`execution=${execution}`), '--format', '{{.Label "dev.devcloud.label.task"}}').toSorted()
}

/** Lets a task end, which waits for that. */
function finish(execution: string, task: string): void {
  const [container = ''] = docker('ps', '-q', ...labelled(`execution=${execution}`, `task=${task}`))
  docker('exec', container, 'touch', '/go')
}

test('an execution goes on after kill -9 of the daemon: what ended meanwhile is noted, what runs is adopted, nothing runs twice', async () => {
  await using cli = givenCli()
  const script = 'echo "start $CLOUD_RUN_TASK_INDEX"; until [ -e /go ]; do sleep 0.1; done; echo "end $CLOUD_RUN_TASK_INDEX"'
  const containers = [{ image: 'debian:bookworm-slim', command: ['sh', '-c', script] }]
  const job = { template: { taskCount: 3, parallelism: 2, template: { containers } } }
  let operationName = ''
  let execution = ''
  {
    await using first = await connect(cli)
    const [creation] = await first.jobs.createJob({ parent, jobId: 'nightly', job })
    await creation.promise()
    const [operation] = await first.jobs.runJob({ name: `${parent}/jobs/nightly` })
    operationName = operation.name ?? ''
    execution = (operation.metadata as protos.google.cloud.run.v2.IExecution).name?.split('/').at(-1) ?? ''
    await eventually('two tasks run', () => running(execution).length === 2)
    process.kill(await cli.daemonPid(), 'SIGKILL')
  }
  finish(execution, '0')
  await eventually('task 0 ended while no daemon ran', () => running(execution).join() === '1')

  await using second = await connect(cli)
  await eventually('task 2 was started, task 1 still runs', () => running(execution).join() === '1,2')
  finish(execution, '1')
  finish(execution, '2')
  const operation = await second.jobs.checkRunJobProgress(operationName)
  const [ended] = await operation.promise()
  expect(ended).toMatchObject({ name: `${parent}/jobs/nightly/executions/${execution}`, succeededCount: 3 })
  const [told] = await second.executions.getExecution({ name: ended.name ?? '' })
  expect(told).toMatchObject({ succeededCount: 3, retriedCount: 0, failedCount: 0 })
  const printed = await control(cli, `/logs?project=${project}&service=nightly`)
  const lines = printed
    .split('\n')
    .filter((line) => line.includes('"log"'))
    .map((line) => JSON.parse(line) as LogEvent & { kind: 'log' })
  const expected = ['end 0', 'end 1', 'end 2', 'start 0', 'start 1', 'start 2']
  expect(lines.map(({ text }) => text).toSorted()).toEqual(expected)
  expect(lines[0]).toMatchObject({ resource: 'cloud_run_job', service: 'nightly', revision: execution })
  expect(running(execution)).toEqual([])
  expect(await cli.run(['clean', '--all', '--yes'])).toMatchObject({ code: 0 })
  const left = ['--filter', `label=dev.devcloud.project=${project}`]
  expect([...docker('ps', '-aq', ...left), ...docker('network', 'ls', '-q', ...left)]).toEqual([])
}, 180_000)
