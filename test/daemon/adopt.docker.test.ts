import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'
import { dockerObjectsOf, outsideOf, filesIn } from './leftovers.ts'

const settings = `buckets: [adopt-bytes]
instances: { main: { version: POSTGRES_15, databases: [adopt] } }
secrets: { adopt-key: { random: 16 } }
services: { adopt-app: { instances: [main], files: [{ mountPath: /secrets, secret: adopt-key }] } }
`

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

test('after kill -9 the next daemon takes over the very container, removes one that nobody wants, and clean leaves nothing', async () => {
  const app = givenApp('adopt-app', server("require('node:os').hostname()"), { 'devcloud.yaml': settings })
  await using cli = givenCli()
  const before = dockerObjectsOf(cli.stateDirectory)
  expect(before).toEqual([])
  const told = await cli.run(['up', '--engine', 'docker'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const url = /http:\S+/.exec(told.stdout)?.[0] ?? ''
  const { body: id } = await ask(url)
  const kinds = dockerObjectsOf(cli.stateDirectory).map((line) => line.split(' ')[0])
  expect(new Set(kinds)).toEqual(new Set(['ps', 'network', 'volume']))

  process.kill(await cli.daemonPid(), 'SIGKILL')
  const [labels = '{}'] = docker('inspect', '--format', '{{json .Config.Labels}}', id).split('\n')
  const unwanted = Object.entries(JSON.parse(labels) as Record<string, string>).flatMap(([key, value]) => [
    '--label',
    `${key}=${/revisionName$|label\.instance$/.test(key) ? `${value}-gone` : value}`,
  ])
  const stray = docker('run', '--detach', '--network', 'none', ...unwanted, 'node:24-slim', 'sleep', '1000')
  expect((await cli.run(['daemon', 'start'])).code).toBe(0)
  expect(await ask(url)).toMatchObject({ status: 200, body: id })
  const deadline = performance.now() + 30_000
  const isThere = (container: string) => docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `id=${container}`) !== ''
  while (isThere(stray) && performance.now() < deadline) await sleep(100)
  expect(isThere(stray)).toBe(false)

  const removed = await cli.run(['clean', '--yes'], { directory: app.directory })
  expect(removed, removed.stderr).toMatchObject({ code: 0 })
  expect(dockerObjectsOf(cli.stateDirectory)).toEqual([])
  expect(docker('images', '--quiet', 'devcloud/adopt-app*')).toBe('')
  expect(docker('images', '--quiet', 'devcloud/adopt-app/*')).toBe('')
  expect(filesIn(...outsideOf(cli.stateDirectory))).toEqual([])
}, 180_000)
