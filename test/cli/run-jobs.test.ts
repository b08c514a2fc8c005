import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenCli, type GivenCli } from './given-cli.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const task = fileURLToPath(new URL('task', import.meta.url))

describe('devcloud run jobs and worker-pools', { timeout: 180_000 }, () => {
  let cli: GivenCli
  const run = (...args: readonly string[]) => cli.run(['run', ...args], { directory: cli.stateDirectory })
  const stdoutOf = async (...args: readonly string[]) => {
    const ran = await run(...args)
    expect(ran, `${args.join(' ')}\n${ran.stderr}`).toMatchObject({ code: 0 })
    return ran.stdout.trim()
  }
  beforeAll(async () => {
    cli = givenCli()
    const flags = ['--tasks=3', '--parallelism=2', '--max-retries=0', '--task-timeout=5m', '--project=demo-one', '--engine=process']
    await stdoutOf('jobs', 'deploy', 'migrate', `--source=${task}`, ...flags)
  })
  afterAll(async () => await cli[Symbol.asyncDispose]())

  test('a job is listed and described as gcloud does', async () => {
    expect(await stdoutOf('jobs', 'list')).toMatch(
      /^JOB +REGION +LAST RUN AT +CREATED +CREATED BY\n✔ +migrate +us-central1 +[\d-]+ [\d:]+ UTC +you@/,
    )
    const keys =
      'spec.template.spec.taskCount,spec.template.spec.parallelism,spec.template.spec.template.spec.maxRetries,spec.template.spec.template.spec.timeoutSeconds'
    expect(await stdoutOf('jobs', 'describe', 'migrate', `--format=value(${keys})`)).toBe('3\t2\t0\t300')
    expect(await stdoutOf('jobs', 'describe', 'migrate')).toMatch(/^✔ Job migrate\n\n +Tasks: +3\n +Parallelism: +2/)
  })

  test('execute --wait tells how many tasks are complete, and takes other arguments and variables', async () => {
    const ran = await run('jobs', 'execute', 'migrate', '--wait', '--tasks=2', '--update-env-vars=GREETING=bonjour')
    expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^migrate-\w{5}\n$/) })
    expect(ran.stderr).toMatch(/execution migrate-\w{5} +2 \/ 2 complete/)
    const execution = ran.stdout.trim()
    expect(await stdoutOf('jobs', 'executions', 'list', '--job=migrate')).toMatch(
      new RegExp(`^JOB +EXECUTION +REGION +RUNNING +COMPLETE +CREATED +RUN BY\\n✔ +migrate +${execution} +us-central1 +0 +2 / 2 +`),
    )
    expect(await stdoutOf('jobs', 'executions', 'describe', execution)).toContain('2 of 2 tasks succeeded')
    const tasks = await stdoutOf('jobs', 'executions', 'tasks', 'list', `--execution=${execution}`)
    expect(tasks).toMatch(/^INDEX +STATE +TASK +STARTED +COMPLETED +RETRIES\n✔ +0 +Succeeded +\S+ +.*UTC +0\n✔ +1 +Succeeded/)
    expect(await stdoutOf('jobs', 'logs', 'read', 'migrate')).toContain('bonjour from task 1')
    await stdoutOf('jobs', 'executions', 'delete', execution, '--quiet')
    expect((await run('jobs', 'executions', 'describe', execution)).stderr).toContain(`Cannot find execution [${execution}]`)
  })

  test('an execution that fails exits 1 with the last words of its tasks', async () => {
    const ran = await run('jobs', 'update', 'migrate', '--update-env-vars=FAIL_AT=1', '--wait')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/TASKS_FAILED[\s\S]*this task cannot/)
  })

  test('an execution is cancelled', async () => {
    const execution = await stdoutOf('jobs', 'execute', 'migrate', '--update-env-vars=FOREVER=1,FAIL_AT=9')
    await stdoutOf('jobs', 'executions', 'cancel', execution)
    await expect
      .poll(() => stdoutOf('jobs', 'executions', 'describe', execution), { timeout: 30_000, interval: 500 })
      .toMatch(/3 were cancelled/)
  })

  test('Ctrl-C ends the waiting with exit code 130; the execution goes on', async () => {
    const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, NO_COLOR: '1' }
    const words = [main, 'run', 'jobs', 'execute', 'migrate', '--wait', '--update-env-vars=FOREVER=1,FAIL_AT=9', '--tasks=1']
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const told: string[] = []
    child.stderr.setEncoding('utf8').on('data', (text: string) => told.push(text))
    const running = () => stdoutOf('jobs', 'executions', 'list', '--filter=status.runningCount=1', '--format=value(metadata.name)')
    await expect.poll(running, { timeout: 30_000, interval: 500 }).toMatch(/^migrate-\w+$/)
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect(told.join('')).toContain('INTERRUPTED  Interrupted; what was begun goes on.')
    await stdoutOf('jobs', 'executions', 'cancel', await running())
  })

  test('what export writes is taken by replace, and changes are seen', async () => {
    const file = join(cli.stateDirectory, 'job.yaml')
    writeFileSync(file, await stdoutOf('jobs', 'describe', 'migrate', '--format=export'))
    expect(readFileSync(file, 'utf8')).not.toMatch(/status:|uid:|creator/)
    writeFileSync(file, readFileSync(file, 'utf8').replace('taskCount: 3', 'taskCount: 4'))
    await stdoutOf('jobs', 'replace', file)
    expect(await stdoutOf('jobs', 'describe', 'migrate', '--format=value(spec.template.spec.taskCount)')).toBe('4')
  })

  test('a job is made once and deleted', async () => {
    const image = await stdoutOf('jobs', 'describe', 'migrate', '--format=value(spec.template.spec.template.spec.containers[0].image)')
    expect((await run('jobs', 'create', 'migrate', `--image=${image}`)).stderr).toContain('Job [migrate] already exists.')
    expect((await run('jobs', 'update', 'absent', '--tasks=1')).stderr).toContain('Cannot find job [absent]')
    await stdoutOf('jobs', 'delete', 'migrate', '--quiet')
    expect(await stdoutOf('jobs', 'list', '--format=value(metadata.name)')).toBe('')
  })

  test('a worker pool runs its instances until it is deleted', async () => {
    await stdoutOf('worker-pools', 'deploy', 'queue', `--source=${task}`, '--instances=1', '--set-env-vars=GREETING=hey')
    expect(await stdoutOf('worker-pools', 'list')).toMatch(
      /^WORKER_POOL +REGION +LAST DEPLOYED BY +LAST DEPLOYED AT +CREATED BY +CREATED\n✔ +queue +us-central1/,
    )
    expect(await stdoutOf('worker-pools', 'describe', 'queue')).toMatch(/^✔ Worker pool queue in region us-central1\n\n +Instances: +1/)
    await expect
      .poll(() => stdoutOf('worker-pools', 'logs', 'read', 'queue'), { timeout: 30_000, interval: 500 })
      .toContain('hey from queue')
    await stdoutOf('worker-pools', 'update', 'queue', '--instances=0')
    expect(await stdoutOf('worker-pools', 'describe', 'queue', '--format=value(scaling.manualInstanceCount)')).toMatch(/^0?$/)
    await stdoutOf('worker-pools', 'delete', 'queue', '--quiet')
    expect((await run('worker-pools', 'describe', 'queue')).stderr).toContain('Cannot find worker pool [queue]')
  })

  test('regions are listed', async () => {
    expect(await stdoutOf('regions', 'list')).toMatch(/^NAME\n[\s\S]*us-central1/)
  })
})
