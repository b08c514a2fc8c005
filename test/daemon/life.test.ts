import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ask, givenCli, type GivenCli } from '../cli/given-cli.ts'
import { eventually } from '../products/run/given-run.ts'
import { givenApp, server } from './given-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'src/cli/main.ts')
const urlIn = (stdout: string) => /http:\S+/.exec(stdout)?.[0] ?? ''

/** `devcloud up --json`, whose daemon is killed once it has told `events` events. Answers how many it told. */
async function upAndKill(cli: GivenCli, directory: string, events: number): Promise<number> {
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0' }
  const child = spawn(process.execPath, [main, 'up', '--engine', 'process', '--json'], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const pid = await cli.daemonPid()
  let told = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = told
    told += text.split('\n').length - 1
    if (before < events && told >= events) process.kill(pid, 'SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  return told
}

test('F1: kill -9 of the daemon at each step of a deployment: the old revision serves or the new one, and the next up succeeds', async () => {
  const settings =
    'buckets: [step-bytes]\nsecrets: { step-key: { random: 16 } }\nservices: { steps: { files: [{ mountPath: /s, secret: step-key }] } }\n'
  const app = givenApp('steps', server("'revision 0'"), { 'devcloud.yaml': settings })
  await using cli = givenCli()
  const up = () => cli.run(['up', '--engine', 'process'], { directory: app.directory })
  const url = urlIn((await up()).stdout)
  expect((await ask(url)).body).toBe('revision 0')
  let served = 0
  for (const events of [1, 3, 6, 9]) {
    const wanted = served + 1
    app.write('server.cjs', server(`'revision ${wanted}'`))
    await upAndKill(cli, app.directory, events)
    expect((await cli.run(['daemon', 'start'])).code).toBe(0)
    const { body } = await eventually('it serves', async () => {
      const answer = await ask(url).catch(() => undefined)
      return answer?.status === 200 ? answer : undefined
    })
    expect([`revision ${served}`, `revision ${wanted}`]).toContain(body)
    const again = await up()
    expect(again, again.stderr).toMatchObject({ code: 0 })
    expect((await ask(url)).body).toBe(`revision ${wanted}`)
    served = wanted
  }
}, 240_000)

test('F19: after a sleep of daemon and application no instance is replaced, no probe has failed, and the sleep is not told as a blocked loop', async () => {
  const service = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: sleeps }
spec:
  template:
    spec:
      containers:
        - image: local
          livenessProbe: { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3, httpGet: { path: / } }
`
  const app = givenApp('sleeps', server('process.pid'), { 'service.yaml': service })
  await using cli = givenCli()
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const url = urlIn(told.stdout)
  const { body: instance } = await ask(url)
  const pids = [await cli.daemonPid(), Number(instance)]
  await sleep(2500) // probes are under way
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await sleep(8000)
  for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT')
  for (let n = 0; n < 10; n += 1) {
    expect(await ask(url)).toMatchObject({ status: 200, body: instance })
    await sleep(300)
  }
  const log = readFileSync(join(cli.stateDirectory, 'daemon.log'), 'utf8')
  const blocks = [...log.matchAll(/"blockedMs":(\d+)/g)].map(([, ms]) => Number(ms))
  expect(blocks.filter((ms) => ms > 5000)).toEqual([]) // of the sleep; a busy machine has shorter ones
  const lines = await cli.run(['logs'], { directory: app.directory })
  expect(lines.stdout).not.toMatch(/LIVENESS/i)
}, 120_000)

test('F58: a daemon that another version replaces leaves what runs alone: the same instance serves, and a database keeps its sessions', async () => {
  const app = givenApp('replaced', server('process.pid'))
  await using cli = givenCli()
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const url = urlIn(told.stdout)
  const { body: instance } = await ask(url)

  const newer = realpathSync(mkdtempSync(join(tmpdir(), 'newer-')))
  for (const name of ['src', 'compose', 'package.json']) cpSync(join(root, name), join(newer, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(newer, 'node_modules'))
  const manifest = JSON.parse(readFileSync(join(newer, 'package.json'), 'utf8')) as object
  writeFileSync(join(newer, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }))

  const answers = new Set<string>()
  const over = new AbortController()
  const probing = (async () => {
    while (!over.signal.aborted) {
      const answer = await ask(url).then(
        ({ status, body }) => `${status} ${body}`,
        (error: NodeJS.ErrnoException) => String(error.code),
      )
      answers.add(answer)
      await sleep(20)
    }
  })()
  expect((await cli.run(['daemon', 'stop'])).code).toBe(0)
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0' }
  execFileSync(process.execPath, [join(newer, 'src/cli/main.ts'), 'daemon', 'start'], { env })
  await eventually('it serves', async () => (await ask(url).catch(() => undefined))?.body === instance)
  over.abort()
  await probing
  const { stdout } = await cli.run(['status', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ daemon: { version: '9.9.9' } })
  // nobody answers while there is no router; whoever answers is the instance of before
  expect([...answers].filter((answer) => !/^(200 \d+|ECONNREFUSED|ECONNRESET)$/.test(answer))).toEqual([])
  expect([...answers].filter((answer) => answer.startsWith('200'))).toEqual([`200 ${instance}`])
}, 120_000)

const isRoot = process.env['CI'] === 'true' || process.getuid?.() === 0

test.runIf(isRoot)(
  'F60: without a network and without a resolver a project comes up, and Google names answer',
  () => {
    const app = givenApp('alone-app', server("'alone'"), {
      'devcloud.yaml': 'buckets: [alone-bytes]\nsecrets: { alone-key: { random: 16 } }\n',
    })
    const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-alone-'))
    const program = `
    set -e
    ip link set lo up
    node='${process.execPath}'
    "$node" '${main}' up --engine process
    eval "$("$node" '${main}' env)"
    curl -sS --fail --max-time 20 -H "Authorization: Bearer $GOOGLE_OAUTH_ACCESS_TOKEN" https://storage.googleapis.com/storage/v1/b?project=alone-app
    "$node" '${main}' clean --yes
    "$node" '${main}' daemon stop
  `
    const env = { ...process.env, DEVCLOUD_STATE_DIR: stateDirectory, DEVCLOUD_PORT: '0', NO_COLOR: '1' }
    const told = execFileSync('unshare', ['--net', 'sh', '-c', program], {
      cwd: app.directory,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(told).toContain('200')
    expect(told).toContain('alone-bytes')
  },
  120_000,
)
