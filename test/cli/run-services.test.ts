import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ask, givenCli, type GivenCli, type Ran } from './given-cli.ts'

const hello = fileURLToPath(new URL('hello', import.meta.url))

describe('devcloud run', { timeout: 180_000 }, () => {
  let cli: GivenCli
  const run = (...args: readonly string[]) => cli.run(['run', ...args], { directory: cli.stateDirectory })
  const stdoutOf = async (...args: readonly string[]) => {
    const ran = await run(...args)
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    return ran.stdout.trim()
  }
  const answerOf = async (url: string) => JSON.parse((await ask(url)).body) as { readonly revision: string; readonly greeting: string }
  const urlIn = (ran: Ran) => /^http:\/\/\S+/.exec(ran.stdout)?.[0] ?? ''
  let url = ''

  beforeAll(async () => {
    cli = givenCli()
    const deploy = ['deploy', 'hello', `--source=${hello}`, '--project=demo-one', '--engine=process', '--allow-unauthenticated', '--quiet']
    const ran = await run(...deploy, '--set-env-vars=^;^GREETING=hi, you;OTHER=1', '--region=europe-west1')
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    expect(ran.stderr).toMatch(/project demo-one: process engine[\s\S]*build hello[\s\S]*has been deployed and is serving 100 percent/)
    expect(ran.stdout).toMatch(
      /^http:\/\/hello\.localhost\S*\nhttps:\/\/hello-\d{12}\.europe-west1\.run\.app\nhttps:\/\/hello-\w+-ew\.a\.run\.app\n$/,
    )
    url = urlIn(ran)
  })
  afterAll(async () => await cli[Symbol.asyncDispose]())

  test('deploy builds a folder, runs it, and answers on the URL that it prints', async () => {
    expect(await answerOf(url)).toMatchObject({ service: 'hello', greeting: 'hi, you', revision: expect.stringMatching(/^hello-00001-/) })
    const policy = await stdoutOf('services', 'get-iam-policy', 'hello', '--format=value(bindings[0].role,bindings[0].members)')
    expect(policy).toBe('roles/run.invoker\tallUsers')
  })

  test('what the API refuses is told with what to do, which is not to read logs', async () => {
    const ran = await run('services', 'update', 'hello', '--timeout=2h')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(
      /✗ INVALID_ARGUMENT {2}service\.template\.timeout: must be from 1 to 3600, but is 7200\.\n {2}→ (?!devcloud logs)\S/,
    )
  })

  test('list and describe print what gcloud prints, in its formats', async () => {
    const table = await stdoutOf('services', 'list')
    expect(table).toMatch(/^SERVICE +REGION +URL +LAST DEPLOYED BY +LAST DEPLOYED AT\n✔ +hello +europe-west1 +https:\/\/hello-\S+ +.*Z$/)
    const of = (format: string) => stdoutOf('services', 'describe', 'hello', `--format=${format}`)
    const uri = await of('value(status.url)')
    expect(uri).toMatch(/^https:\/\/hello-\w+-ew\.a\.run\.app$/)
    const service = JSON.parse(await of('json')) as Record<string, unknown>
    expect(service).toMatchObject({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'hello', generation: 1, labels: { 'cloud.googleapis.com/location': 'europe-west1' } },
      spec: { template: { spec: { containerConcurrency: 80, timeoutSeconds: 300, containers: [{ ports: [{ containerPort: 8080 }] }] } } },
      status: { url: uri, traffic: [{ latestRevision: true, percent: 100 }] },
    })
    expect(parse(await of('yaml'))).toEqual(service)
    expect(JSON.parse(await stdoutOf('services', 'describe', 'hello', '--json'))).toEqual(service)
    expect(await stdoutOf('services', 'list', '--format=csv(metadata.name,status.url)')).toBe(`name,url\nhello,${uri}`)
    expect(await stdoutOf('services', 'list', '--filter=SERVICE:hel* AND region=europe-west1', '--format=value(metadata.name)')).toBe(
      'hello',
    )
    expect(await run('services', 'list', '--filter=metadata.name=other')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'Listed 0 items.\n',
    })
    expect(await stdoutOf('services', 'describe', 'hello')).toMatch(
      /^✔ Service hello in region europe-west1\n\nURL: +http:\/\/hello\.localhost[\s\S]*100% LATEST \(currently hello-00001-/,
    )
  })

  test('export writes a service.yaml without what the server sets', async () => {
    const exported = parse(await stdoutOf('services', 'describe', 'hello', '--format=export')) as Record<string, unknown>
    expect(Object.keys(exported)).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
    expect(exported).toMatchObject({
      metadata: { name: 'hello', annotations: { 'run.googleapis.com/ingress': 'all' } },
      spec: {
        template: {
          spec: {
            containers: [
              {
                env: [
                  { name: 'GREETING', value: 'hi, you' },
                  { name: 'OTHER', value: '1' },
                ],
              },
            ],
          },
        },
        traffic: [{ latestRevision: true, percent: 100 }],
      },
    })
    expect(JSON.stringify(exported)).not.toMatch(/uid|generation|creator|creationTimestamp|client-name|operation-id|urls/)
  })

  test('what export writes is taken by replace; a dry run stores nothing', async () => {
    const file = join(cli.stateDirectory, 'service.yaml')
    const exported = await stdoutOf('services', 'describe', 'hello', '--format=export')
    writeFileSync(file, exported.replace('hi, you', 'from a file'))
    const ran = await run('services', 'replace', file, '--region=europe-west1', '--dry-run')
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('Service [hello] has been validated.') })
    expect((await answerOf(url)).greeting).toBe('hi, you')
    await stdoutOf('services', 'replace', file, '--region=europe-west1')
    expect((await answerOf(url)).greeting).toBe('from a file')
    writeFileSync(file, exported)
    await stdoutOf('services', 'replace', file, '--region=europe-west1')
    writeFileSync(file, 'kind: Pod')
    expect(await run('services', 'replace', file)).toMatchObject({ code: 2, stderr: expect.stringContaining('is not a Service') })
    expect(await stdoutOf('services', 'logs', 'read', 'hello')).toMatch(/GET {2}200 {2}\/[\s\S]*asked for \//)
  })

  test('a tagged revision without traffic is tried by its tag, then takes a share', async () => {
    await stdoutOf('services', 'update', 'hello', '--update-env-vars=GREETING=two', '--no-traffic', '--tag=canary')
    expect((await answerOf(url)).greeting).toBe('hi, you')
    expect((await answerOf(url.replace('http://', 'http://canary---'))).greeting).toBe('two')
    await stdoutOf('services', 'update-traffic', 'hello', '--to-tags=canary=100')
    expect((await answerOf(url)).greeting).toBe('two')
    const shares = await stdoutOf('services', 'describe', 'hello', '--flatten=status.traffic[]', '--format=value(status.traffic.revisionName.segment(-1),status.traffic.percent,status.traffic.tag)') // prettier-ignore
    expect(shares).toMatch(/^hello-00004-\w{3}\t100\t\nhello-00004-\w{3}\t\tcanary$/)
    const revisions = await stdoutOf('revisions', 'list', '--service=hello', '--limit=2', '--format=value(metadata.name,active)')
    expect(revisions).toMatch(/^hello-00004-\w{3}\tTrue\nhello-00003-\w{3}\tFalse$/)
    expect(await stdoutOf('revisions', 'list')).toMatch(
      /^REVISION +ACTIVE +SERVICE +DEPLOYED +DEPLOYED BY\n✔ +hello-00004-\w{3} +yes +hello +[\d-]+ [\d:]+ UTC/,
    )
    await stdoutOf('services', 'update-traffic', 'hello', '--to-latest', '--clear-tags')
  })

  test('deploy makes a revision also when nothing changed, and names it by its suffix', async () => {
    const image = await stdoutOf('services', 'describe', 'hello', '--format=value(spec.template.spec.containers[0].image)')
    const before = (await answerOf(url)).revision
    await stdoutOf('deploy', 'hello', `--image=${image}`)
    const after = (await answerOf(url)).revision
    expect(after).not.toBe(before)
    await stdoutOf('deploy', 'hello', `--image=${image}`, '--revision-suffix=v9')
    expect((await answerOf(url)).revision).toBe('hello-v9')
  })

  test('a deployment that fails tells the last words of the container, exits 1, and leaves the old revision serving', async () => {
    const ran = await run('services', 'update', 'hello', '--update-env-vars=BREAK=yes')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/✗ service hello[\s\S]*APP_CRASHED[\s\S]*failed to start and listen on the port[\s\S]*Set SECRET_KEY first/)
    expect((await answerOf(url)).greeting).toBe('two')
    expect(await stdoutOf('services', 'describe', 'hello')).toMatch(/^X Service hello/)
    await stdoutOf('services', 'update', 'hello', '--remove-env-vars=BREAK')
  })

  test('--async does not wait', async () => {
    const ran = await run('services', 'update', 'hello', '--update-env-vars=GREETING=later', '--async')
    expect(ran).toMatchObject({ code: 0, stdout: '' })
    await expect.poll(async () => (await answerOf(url)).greeting, { timeout: 30_000 }).toBe('later')
  })

  test('what is wrong on the command line is told by name, with exit code 2, and changes nothing', async () => {
    const faults: readonly (readonly [args: readonly string[], words: string])[] = [
      [['deploy', 'hello', '--gpu=1'], 'NOT_EMULATED  devcloud does not emulate --gpu.'],
      [['services', 'list', '--log-http'], 'NOT_EMULATED  devcloud does not emulate --log-http.'],
      [['deploy', 'hello', '--set-env-var=A=1'], 'Did you mean --set-env-vars?'],
      [['deploy', 'new'], 'Requires a container image to deploy'],
      [['deploy', 'new', '--source=/nowhere'], 'there is no folder /nowhere'],
      [['deploy', 'New_One', '--image=x'], '"New_One" is not a service\'s name.'],
      [['services', 'list', '--format=yml'], '"yml" is no format that devcloud has.'],
      [['services', 'list', '--filter=name'], 'an operator is missing'],
      [['services', 'update', 'hello'], 'No configuration change requested.'],
      [['services', 'list', '--project=nobody'], 'There is no project "nobody".'],
    ]
    for (const [args, words] of faults) {
      const ran = await run(...args)
      expect(`${args.join(' ')}: ${ran.stderr}`).toContain(words)
      expect(ran.code, args.join(' ')).toBe(2)
    }
    const absent = await run('services', 'describe', 'absent')
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot find service [absent]') })
  })

  test('a Tab completes commands, flags and the names that there are', async () => {
    const tab = async (...words: readonly string[]) => (await cli.run(['complete', '--', ...words])).stdout
    expect(await tab('run', 'serv')).toMatch(/^services\t/)
    expect(await tab('run', 'services', 'update-')).toMatch(/^update-traffic\t/)
    expect(await tab('run', 'deploy', '--set-')).toMatch(/^--set-env-vars\t[\s\S]*^--set-secrets\t/m)
    expect(await tab('run', 'services', 'describe', '')).toMatch(/^hello\b/)
    expect(await tab('run', 'revisions', 'describe', 'hello-v')).toMatch(/^hello-v9\b/)
  })

  test('run SERVICE -- COMMAND is what it was, and exec --once the same', async () => {
    expect(await run('hello', '--', 'sh', '-c', 'echo $GREETING; exit 3')).toMatchObject({ code: 3, stdout: 'later\n' })
    expect(await run('--', 'sh', '-c', 'exit 4')).toMatchObject({ code: 4 })
    expect(await cli.run(['exec', '--once', 'hello', '--', 'sh', '-c', 'exit 5'])).toMatchObject({ code: 5 })
    const told = await run('helo', '--', 'sh', '-c', 'exit 6')
    expect(told).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no service "helo".\n  → Name one of: hello.') as string,
    })
  })

  test('a policy is given, taken, and set from a file', async () => {
    const binding = ['hello', '--member=user:ann@example.com', '--role=roles/run.developer']
    await stdoutOf('services', 'add-iam-policy-binding', ...binding)
    const roles = () => stdoutOf('services', 'get-iam-policy', 'hello', '--flatten=bindings', '--format=value(bindings.role)')
    expect(await roles()).toBe('roles/run.invoker\nroles/run.developer')
    await stdoutOf('services', 'remove-iam-policy-binding', ...binding)
    expect(await roles()).toBe('roles/run.invoker')
    expect((await run('services', 'remove-iam-policy-binding', ...binding)).stderr).toContain('not found!')
    const file = join(cli.stateDirectory, 'policy.yaml')
    writeFileSync(file, 'bindings:\n- role: roles/run.viewer\n  members: [allUsers]\n')
    await stdoutOf('services', 'set-iam-policy', 'hello', file)
    expect(await roles()).toBe('roles/run.viewer')
  })

  test('an old revision is deleted, then the service with all of them', async () => {
    const names = async () => (await stdoutOf('revisions', 'list', '--service=hello', '--sort-by=metadata.creationTimestamp', '--format=value(metadata.name)')).split('\n') // prettier-ignore
    const [oldest = '', ...others] = await names()
    await stdoutOf('revisions', 'delete', oldest, '--quiet')
    expect(await names()).toEqual(others)
    await stdoutOf('services', 'delete', 'hello', '--quiet')
    expect(await stdoutOf('services', 'list', '--format=value(metadata.name)')).toBe('')
    expect((await ask(url)).status).toBe(404)
  })
})
