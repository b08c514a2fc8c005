import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { controlSocketPath } from '../../src/base/paths.ts'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'
import { filesIn, isRunning, outsideOf, processesOf } from './leftovers.ts'

const main = fileURLToPath(new URL('../../src/daemon/main.ts', import.meta.url))

test('F12: of 12 first commands at once one starts the daemon, all are answered by it, and none is left besides', async () => {
  await using cli = givenCli()
  const ran = await Promise.all(Array.from({ length: 12 }, () => cli.run(['daemon', 'start', '--json'])))
  expect(ran.map(({ code }) => code)).toEqual(ran.map(() => 0))
  const pids = new Set(ran.map(({ stdout }) => (JSON.parse(stdout) as { readonly pid: number }).pid))
  expect(pids.size).toBe(1)
  const deadline = performance.now() + 60_000
  while (processesOf(cli.stateDirectory).length > 2 && performance.now() < deadline) await sleep(50) // those that lost the race are on their way out
  const left = processesOf(cli.stateDirectory)
  expect(left).toEqual(expect.arrayContaining(withSupervisor([...pids][0])))
  expect(left).toHaveLength(2)
}, 180_000)

test('a second daemon on a state directory exits and names the first', async () => {
  await using cli = givenCli()
  await cli.run(['daemon', 'start'])
  const pid = await cli.daemonPid()
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0' }
  const second = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  second.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  const code = await new Promise((resolve) => second.once('close', resolve))
  expect(code).toBe(75)
  expect(JSON.parse(words.trim().split('\n').at(-1) ?? '')).toMatchObject({
    fault: 'STATE_LOCKED',
    message: `Another devcloud daemon has ${cli.stateDirectory} open.`,
    evidence: process.platform === 'linux' ? [expect.stringContaining(`(pid ${pid})`)] : [],
  })
  expect(await cli.daemonPid()).toBe(pid)
})

test('nobody else may read the state or reach the control socket', async () => {
  const app = givenApp('private-app', server('1'), {
    'devcloud.yaml': 'buckets: [private-bytes]\nsecrets: { private-key: { random: 16 } }\n',
  })
  await using cli = givenCli()
  expect(await cli.run(['up', '--engine', 'process'], { directory: app.directory })).toMatchObject({ code: 0 })
  await cli.run(['env'], { directory: app.directory })
  const open = execFileSync('find', [cli.stateDirectory, '-perm', '/077', '!', '-type', 'l'], { encoding: 'utf8' }).split('\n')
  // certificates are no secret, and users of containers read them where they are mounted
  const certificates = ['bundle.pem', 'ca.pem', 'java-roots'].map((name) => join(cli.stateDirectory, 'ca', name))
  expect(open.filter((path) => path !== '' && !path.startsWith(`${certificates[2]}/`)).toSorted()).toEqual(certificates)
  expect(statSync(cli.stateDirectory).mode & 0o777).toBe(0o700)
  expect(statSync(controlSocketPath(cli.stateDirectory)).mode & 0o777).toBe(0o600)
})

test('S32: a state directory whose path is too long for a socket, with a space and an umlaut, works all the same', async () => {
  const stateDirectory = join(realpathSync(mkdtempSync(join(tmpdir(), 'long-'))), `with a späce ${'x'.repeat(110)}`)
  await using cli = givenCli({ stateDirectory })
  const app = givenApp('long-app', server("'long'"))
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const socket = controlSocketPath(stateDirectory)
  expect(Buffer.byteLength(socket)).toBeLessThan(104)
  expect(statSync(join(socket, '..')).mode & 0o777).toBe(0o700)
})

test('F13: stale sockets and files of a dead daemon are no hindrance, SIGHUP does not end one, and a foreign process with its number lives', async () => {
  await using cli = givenCli()
  await cli.run(['daemon', 'start'])
  const pid = await cli.daemonPid()
  process.kill(pid, 'SIGHUP')
  await sleep(200)
  expect(await cli.daemonPid()).toBe(pid)
  process.kill(pid, 'SIGKILL')
  expect(existsSync(controlSocketPath(cli.stateDirectory))).toBe(true)
  expect((await cli.run(['daemon', 'start'])).code).toBe(0)
  expect(await cli.daemonPid()).not.toBe(pid)
  await cli.run(['daemon', 'stop'])
  writeFileSync(controlSocketPath(cli.stateDirectory), 'not a socket')
  expect((await cli.run(['ps'])).code).toBe(0)
})

test('clean removes processes, files and memory of a project; after daemon stop no socket and no process is left', async () => {
  const settings =
    'buckets: [gone-bytes]\ninstances: { main: { version: POSTGRES_18, databases: [gone] } }\nsecrets: { gone-key: { random: 16 } }\n'
  const service = 'services: { gone-app: { instances: [main], files: [{ mountPath: /secrets, secret: gone-key }] } }\n'
  const app = givenApp('gone-app', server('process.pid'), { 'devcloud.yaml': settings + service })
  await using cli = givenCli()
  const outside = outsideOf(cli.stateDirectory)
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const url = /http:\S+/.exec(told.stdout)?.[0] ?? ''
  const instance = Number((await ask(url)).body)
  expect(processesOf(cli.stateDirectory, ...outside).length).toBeGreaterThan(3)
  expect(filesIn(...outside)).not.toEqual([])

  expect(await cli.run(['clean', '--yes'], { directory: app.directory })).toMatchObject({ code: 0 })
  const left = processesOf(cli.stateDirectory, app.directory, ...outside)
  expect(left).toEqual(expect.arrayContaining(withSupervisor(await cli.daemonPid())))
  expect(left).toHaveLength(2)
  await expect.poll(() => isRunning(instance), { timeout: 10_000 }).toBe(false)
  expect(filesIn(...outside)).toEqual([])
  expect(filesIn(cli.stateDirectory).filter((path) => /gone-app|gone-key|\/(blobs|images|containers)\/./.test(path))).toEqual([])
  expect((await cli.run(['status', '--json'])).stdout).toContain('"projects":[]')

  await cli.run(['daemon', 'stop'])
  await expect.poll(() => processesOf(cli.stateDirectory), { timeout: 10_000 }).toEqual([])
  expect(readdirSync(cli.stateDirectory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isSocket())).toEqual([])
}, 120_000)

/** A daemon's process, and the one that starts it again when it crashes. */
function withSupervisor(pid: number | undefined) {
  return [expect.stringContaining(`${pid} `), expect.stringContaining('devcloud-supervisor')]
}
