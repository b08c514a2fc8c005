import { spawn } from 'node:child_process'
import { readFileSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenApp, server } from '../daemon/given-app.ts'
import { ask, givenCli, type GivenCli } from './given-cli.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

async function upOn(cli: GivenCli, directory: string): Promise<string> {
  const told = await cli.run(['up', '--engine', 'process'], { directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  return /http:\S+/.exec(told.stdout)?.[0] ?? ''
}

test('a folder with spaces and other letters, huge and binary lines, and escapes in logs do no harm', async () => {
  const app = givenApp(
    'mein Projekt ü 日本',
    `process.stdout.write('\\x1b]52;c;aGFjaw==\\x07\\x1b[31mred\\u202E\\n' + 'L'.repeat(1_000_000) + '\\n')
process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]))
${server("'strange'")}`,
  )
  await using cli = givenCli()
  expect((await ask(await upOn(cli, app.directory))).body).toBe('strange')
  const { stdout } = await cli.run(['logs'], { directory: app.directory })
  expect(stdout).toContain('\\x1b]52;c;aGFjaw==\\x07\x1b[31mred\\u202e\x1b[0m\n')
  expect(stdout.replaceAll(/\x1b\[[\d;]*m/g, '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
  expect(stdout.match(/L{100,}/g)?.join('').length).toBe(1_000_000)
})

test('two projects with a service of one name have a URL each; a project that is down answers 404, and a folder that is gone can be cleaned', async () => {
  const first = givenApp('twin-one', server("'one'"), { 'devcloud.yaml': 'project: twin-one\nservices: { twin: {} }\n' })
  const second = givenApp('twin-two', server("'two'"), { 'devcloud.yaml': 'project: twin-two\nservices: { twin: {} }\n' })
  await using cli = givenCli()
  const short = await upOn(cli, first.directory)
  const long = await upOn(cli, second.directory)
  expect(new URL(long).hostname).toBe('twin.twin-two.localhost')
  expect([(await ask(short)).body, (await ask(long)).body]).toEqual(['one', 'two'])
  await cli.run(['down'], { directory: second.directory })
  expect((await ask(long)).status).toBe(404)
  expect((await cli.run(['ps'])).stdout).toMatch(/twin-two +twin +\S+ +down/)
  renameSync(second.directory, `${second.directory}-moved`)
  const asked = await cli.run(['clean', '--project', 'twin-two'], { directory: first.directory })
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('→ devcloud clean --project twin-two --yes')])
  expect((await cli.run(['clean', '--all'])).stderr).toContain('→ devcloud clean --all --yes')
  expect(await cli.run(['clean', '--project', 'twin-two', '--yes'])).toMatchObject({ code: 0 })

  first.write('devcloud.yaml', 'project: twin-three\nservices: { twin: {} }\n')
  const renamed = await cli.run(['up', '--engine', 'process'], { directory: first.directory })
  expect(renamed.stderr).toContain("twin-one was this folder's before; it goes on until: devcloud clean --project twin-one")
  expect((await cli.run(['logs', '--json'], { directory: first.directory })).stdout).not.toContain('twin-one')
})

test('F56: Ctrl-C, and Ctrl-C again, end an up at once with 130; the next one succeeds', async () => {
  const app = givenApp('slow-app', `setTimeout(() => { ${server("'at last'")} }, 4000)`)
  await using cli = givenCli()
  await cli.run(['daemon', 'start'])
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0', NO_COLOR: '1' }
  const child = spawn(process.execPath, [main, 'up', '--engine', 'process'], { cwd: app.directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => child.once('close', (...ended) => resolve(ended)))
  while (!words.includes('build slow-app')) await sleep(20)
  child.kill('SIGINT')
  child.kill('SIGINT')
  const [code, signal] = await closed
  expect(signal === 'SIGINT' || code === 130).toBe(true)
  expect((await ask(await upOn(cli, app.directory))).body).toBe('at last')
})

test('F46: logs -f whose reader has stopped takes no memory of the daemon, and goes on when it reads again', async () => {
  const flood = `require('node:http').createServer((request, response) => {
  for (let n = 0; n < 20; n += 1) console.log('x'.repeat(50_000))
  response.end('flooded')
}).listen(process.env.PORT)`
  const app = givenApp('flood-app', flood)
  await using cli = givenCli()
  const url = await upOn(cli, app.directory)
  const pid = await cli.daemonPid()
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, NO_COLOR: '1' }
  const reader = spawn(process.execPath, [main, 'logs', '-f', '-n', '0'], { cwd: app.directory, env, stdio: ['ignore', 'pipe', 'ignore'] })
  const seen = { last: '' }
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.last = text.slice(-2000)
  })
  while (seen.last === '') {
    await ask(url)
    await sleep(300)
  }
  reader.kill('SIGSTOP')
  const rss = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  const before = rss()
  for (let n = 0; n < 100; n += 1) await ask(url)
  await sleep(1000)
  expect(rss() - before).toBeLessThan(60) // 100 MB were printed
  reader.kill('SIGCONT')
  const deadline = performance.now() + 30_000
  while (!seen.last.includes('/again') && performance.now() < deadline) {
    await ask(`${url}/again`)
    await sleep(50)
  }
  expect(seen.last).toContain('/again')
  reader.kill('SIGINT')
}, 120_000)

test('a page of another origin can read nothing on the port that asks for no token', async () => {
  const app = givenApp('open-app', server('1'), { 'devcloud.yaml': 'buckets: [open-bytes]\n' })
  await using cli = givenCli()
  await upOn(cli, app.directory)
  const { stdout } = await cli.run(['env', '--endpoints', '--json'], { directory: app.directory })
  const { STORAGE_EMULATOR_HOST: endpoint = '' } = JSON.parse(stdout) as Record<string, string>
  for (const path of ['/storage/v1/b?project=open-app', '/v1/projects/open-app/secrets', '/v2/projects/open-app/locations/-/services']) {
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const headers = { host: new URL(endpoint).host, origin: 'http://other.localhost', 'access-control-request-method': 'POST' }
      const answer = await ask(endpoint + path, { method, headers })
      expect(answer.headers['access-control-allow-origin'], `${method} ${path}`).toBeUndefined()
      if (method !== 'OPTIONS') expect(answer.status, `${method} ${path}`).toBe(401)
    }
  }
})
