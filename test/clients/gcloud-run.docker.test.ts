import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canIsolate, givenGcloud, type GivenGcloud } from '../products/run/given-gcloud.ts'
import { givenRun, type GivenRun } from '../products/run/given-run.ts'
import { hasTool } from './has-tool.ts'

describe.runIf(hasTool('gcloud'))('gcloud run, led by devcloud env alone', { timeout: 600_000 }, () => {
  let run: GivenRun
  let gcloud: GivenGcloud
  beforeAll(async () => {
    run = await givenRun()
    gcloud = await givenGcloud(run)
  }, 120_000)
  afterAll(async () => {
    gcloud[Symbol.dispose]()
    await run[Symbol.asyncDispose]()
  })
  const services = (...args: readonly string[]) => gcloud.stdoutOf('run', 'services', ...args)
  const revisionsOf = async (service: string) =>
    (await gcloud.stdoutOf('run', 'revisions', 'list', `--service=${service}`, '--format=value(metadata.name)')).split('\n')

  test('deploys an image, updates it, moves traffic, and deletes it', async () => {
    const deployed = await gcloud.run(
      'run',
      'deploy',
      'web',
      `--image=${run.image}`,
      '--set-env-vars=A=1',
      '--allow-unauthenticated',
      '--max-instances=3',
    )
    expect(deployed, deployed.stderr).toMatchObject({ code: 0 })
    expect(deployed.stderr).toMatch(/Service \[web\] revision \[web-00001-\w{3}\] has been deployed and is serving 100 percent of traffic/)
    const { number } = run.house.foundation.projects.get(run.project)
    expect(deployed.stderr).toContain(`Service URL: https://web-${number}.us-central1.run.app`)
    const policy = await services('get-iam-policy', 'web', '--format=json')
    expect(JSON.parse(policy)).toMatchObject({ bindings: [{ members: ['allUsers'], role: 'roles/run.invoker' }] })
    expect(await run.ask('web', '/env')).toMatchObject({ status: 200, body: expect.stringContaining('"A":"1"') })

    await services('update', 'web', '--update-env-vars=A=2')
    const [second = '', first = ''] = await revisionsOf('web')
    expect(await run.ask('web', '/env')).toMatchObject({ body: expect.stringContaining('"A":"2"') })
    await services('update-traffic', 'web', `--to-revisions=${first}=100`)
    expect(await run.ask('web', '/env')).toMatchObject({ body: expect.stringContaining('"A":"1"') })
    await services('update-traffic', 'web', '--to-latest')
    expect(await services('describe', 'web', '--format=value(status.traffic[0].revisionName)')).toBe(second)

    await gcloud.stdoutOf('run', 'deploy', 'web', `--image=${run.image}`, '--set-env-vars=A=3', '--no-traffic', '--tag=green')
    expect(await run.ask('web', '/env')).toMatchObject({ body: expect.stringContaining('"A":"2"') })
    expect(await run.ask('green---web', '/env')).toMatchObject({ body: expect.stringContaining('"A":"3"') })
    await services('update-traffic', 'web', '--to-tags=green=50')
    const [third = ''] = await revisionsOf('web')
    const told = JSON.parse(await services('describe', 'web', '--format=json(status.traffic)')) as { status: { traffic: unknown } }
    expect(told.status.traffic).toMatchObject([
      { revisionName: second, percent: 50 },
      { revisionName: third, percent: 50 },
      { revisionName: third, tag: 'green', url: expect.stringContaining('https://green---web-') },
    ])
    await services('update-traffic', 'web', '--to-latest')
    expect(await revisionsOf('web')).toHaveLength(3)

    expect(await services('list', '--format=value(metadata.name)')).toBe('web')
    expect(await services('list', '--region=us-central1', '--format=value(metadata.name)')).toBe('web')
    await gcloud
      .stdoutOf('run', 'revisions', 'describe', second, '--format=value(spec.containers[0].image)')
      .then((image) => expect(image).toBe(run.image))
    await gcloud.stdoutOf('run', 'revisions', 'delete', first)
    expect(await revisionsOf('web')).not.toContain(first)
    await services('delete', 'web')
    expect((await gcloud.run('run', 'services', 'describe', 'web')).stderr).toContain('Cannot find service [web]')
  })

  test('run trap 32: a deployment that fails exits 1 with the words of the container', async () => {
    await gcloud.stdoutOf('run', 'deploy', 'bad', `--image=${run.image}`, '--no-allow-unauthenticated')
    const failed = await gcloud.run('run', 'deploy', 'bad', `--image=${run.image}`, '--set-env-vars=BOOT_EXIT=3')
    expect(failed.code).toBe(1)
    expect(failed.stderr).toMatch(/Revision 'bad-00002-\w{3}' is not ready and cannot serve traffic\./)
    expect(failed.stderr).toContain('cannot start')
  })

  test('what is exported is replaced without a new revision', async () => {
    const flags = ['--concurrency=7', '--cpu=2', '--memory=1Gi', '--timeout=60', '--min=0', '--max-instances=4', '--session-affinity', '--cpu-boost', '--no-cpu-throttling', '--execution-environment=gen2', '--labels=team=x', '--ingress=internal', '--port=9090', '--command=node', '--args=/app.mjs', '--description=mine'] // prettier-ignore
    await gcloud.stdoutOf('run', 'deploy', 'yaml', `--image=${run.image}`, '--no-allow-unauthenticated', ...flags)
    const exported = await services('describe', 'yaml', '--format=export')
    expect(exported).toContain('containerConcurrency: 7')
    expect(exported).toContain('run.googleapis.com/ingress: internal')
    writeFileSync(join(gcloud.directory, 'service.yaml'), exported)
    await services('replace', 'service.yaml')
    expect(await revisionsOf('yaml')).toHaveLength(1)
    expect(await services('describe', 'yaml', '--format=export')).toBe(exported)
    const changed = readFileSync(join(gcloud.directory, 'service.yaml'), 'utf8').replace(
      'containerConcurrency: 7',
      'containerConcurrency: 8',
    )
    writeFileSync(join(gcloud.directory, 'service.yaml'), changed)
    await services('replace', 'service.yaml')
    expect(await revisionsOf('yaml')).toHaveLength(2)
  })

  test('bindings are added and removed', async () => {
    await gcloud.stdoutOf('run', 'deploy', 'iam', `--image=${run.image}`, '--no-allow-unauthenticated')
    const binding = ['--member=user:ann@example.com', '--role=roles/run.invoker']
    await services('add-iam-policy-binding', 'iam', ...binding)
    expect(await services('get-iam-policy', 'iam', '--format=value(bindings[0].members[0])')).toBe('user:ann@example.com')
    await services('remove-iam-policy-binding', 'iam', ...binding)
    expect(await services('get-iam-policy', 'iam', '--format=value(bindings)')).toBe('')
  })

  test('run trap 54: jobs execute --wait ends with 0 or 1 as the execution does', async () => {
    const jobs = (...args: readonly string[]) => gcloud.run('run', 'jobs', ...args)
    const script = (code: string) => ['--command=node', `--args=^@^-e@${code}`]
    const made = await jobs('deploy', 'work', `--image=${run.image}`, '--tasks=2', '--max-retries=0', ...script('process.exit(0)'))
    expect(made, made.stderr).toMatchObject({ code: 0 })
    const good = await jobs('execute', 'work', '--wait')
    expect(good, good.stderr).toMatchObject({ code: 0 })
    expect(good.stderr).toMatch(/Execution \[work-\w+\] has successfully completed/)
    const [execution = ''] = (
      await gcloud.stdoutOf('run', 'jobs', 'executions', 'list', '--job=work', '--format=value(metadata.name)')
    ).split('\n')
    const described = JSON.parse(await gcloud.stdoutOf('run', 'jobs', 'executions', 'describe', execution, '--format=json'))
    expect(described).toMatchObject({ status: { succeededCount: 2 }, spec: { taskCount: 2 } })
    const tasks = await gcloud.stdoutOf(
      'run',
      'jobs',
      'executions',
      'tasks',
      'list',
      `--execution=${execution}`,
      '--format=value(metadata.name)',
    )
    expect(tasks.split('\n')).toHaveLength(2)
    const over = await jobs('execute', 'work', '--wait', '--tasks=1', `--args=^@^-e@process.exit(4)`)
    expect(over.code).toBe(1)
    expect(over.stderr).toContain('The execution failed.')
    const updated = await jobs('update', 'work', '--update-env-vars=A=1', '--tasks=1')
    expect(updated, updated.stderr).toMatchObject({ code: 0 })
    expect(await gcloud.stdoutOf('run', 'jobs', 'list', '--format=value(metadata.name)')).toBe('work')
    const binding = ['--member=user:ann@example.com', '--role=roles/run.invoker']
    expect((await jobs('add-iam-policy-binding', 'work', ...binding)).code).toBe(0)
    expect(await gcloud.stdoutOf('run', 'jobs', 'get-iam-policy', 'work', '--format=value(bindings[0].role)')).toBe('roles/run.invoker')
    expect((await gcloud.run('run', 'jobs', 'executions', 'delete', execution)).code).toBe(0)
    expect((await jobs('delete', 'work')).code).toBe(0)
  })
})

describe.runIf(hasTool('gcloud') && canIsolate())('gcloud run, led by devcloud env --endpoints', { timeout: 300_000 }, () => {
  test('run trap 54: deploys through the host with its region in front', async () => {
    await using run = await givenRun()
    using gcloud = await givenGcloud(run, { endpoints: true })
    const deployed = await gcloud.run('run', 'deploy', 'web', `--image=${run.image}`, '--allow-unauthenticated')
    expect(deployed, deployed.stderr).toMatchObject({ code: 0 })
    expect(await run.ask('web', '/id')).toMatchObject({ status: 200 })
    expect(await gcloud.stdoutOf('run', 'services', 'list', '--format=value(metadata.name)')).toBe('web')
  })
})
