import { execFile } from 'node:child_process'
import http2 from 'node:http2'
import net from 'node:net'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenCli, type GivenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'
import { tcpListeners, unixListeners } from './listeners.ts'

let cli: GivenCli
let directory: string
/** What `devcloud env` and `devcloud env --endpoints` print. */
let env: Readonly<Record<string, string>>
let endpoints: Readonly<Record<string, string>>

beforeAll(async () => {
  cli = givenCli()
  const settings =
    'buckets: [doors-bytes]\ninstances: { main: { version: POSTGRES_18, databases: [app] } }\nsecrets: { canary: { value: c4n4ry } }\n'
  directory = givenApp('doors-app', server("'hello'"), { 'devcloud.yaml': settings }).directory
  const told = await cli.run(['up', '--engine', 'process', '-d'], { directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  env = JSON.parse((await cli.run(['env', '--json'], { directory })).stdout) as typeof env
  endpoints = JSON.parse((await cli.run(['env', '--endpoints', '--json'], { directory })).stdout) as typeof endpoints
})
afterAll(() => cli[Symbol.asyncDispose]())

test('S5: a daemon and all that it starts listen on loopback alone, and their Unix sockets are the user’s own', async () => {
  const pid = await cli.daemonPid()
  const listeners = tcpListeners(pid)
  expect(listeners.map(({ port }) => port)).toEqual(expect.arrayContaining([await cli.port(), gatewayPort(), metadataPort()]))
  const own = listeners.filter((listener) => listener.pid === pid)
  expect(own.filter(({ address }) => address !== '127.0.0.1' && address !== '::1')).toEqual([])
  const sockets = unixListeners(pid)
  expect(sockets.length).toBeGreaterThan(1)
  for (const path of sockets) expect([path, statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o077]).toEqual([path, 0o600, 0])
})

test('S1: every listener of a running daemon has an exact list of hosts, over HTTP/1.1, HTTP/2 and upgrades', async () => {
  const pid = await cli.daemonPid()
  const hosts = [
    'evil.test',
    'evil.test:80',
    'localhost.evil.test',
    'doors-app.localhost.evil.test',
    '169.254.169.254.evil.test',
    'a@localhost',
  ]
  for (const { address, port } of tcpListeners(pid).filter((listener) => listener.pid === pid)) {
    for (const host of hosts) {
      for (const extra of [
        '',
        'Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://evil.test\r\n',
        'Metadata-Flavor: Google\r\n',
      ]) {
        const answer = await raw({ host: address, port }, `GET / HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`)
        expect([port, host, answer.slice(0, 12)]).toEqual([port, host, expect.stringMatching(/^HTTP\/1.1 (421|400)$/)])
      }
    }
    expect([port, await statusOverH2(address, port, 'evil.test')]).toEqual([port, expect.toBeOneOf([421, 'no HTTP/2'])])
    const two = await raw({ host: address, port }, 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n')
    expect([port, two.slice(0, 12)]).toEqual([port, expect.stringMatching(/^HTTP\/1.1 4\d\d$/)])
  }
  const control = unixListeners(pid).filter((path) => path.endsWith('control.sock'))
  expect(control.length).toBe(1)
  expect(await raw({ path: control[0] ?? '' }, 'GET /status HTTP/1.1\r\nHost: evil.test\r\n\r\n')).toMatch(/^HTTP\/1.1 421 /)
})

test('S3: an upgrade that a page of another origin asks for opens no stream at any port of the APIs', async () => {
  const head = (host: string) =>
    `GET /v1/projects/doors-app/secrets HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://evil.test\r\n\r\n`
  for (const port of [gatewayPort(), metadataPort()]) {
    const answer = await raw({ host: '127.0.0.1', port }, head(`localhost:${port}`))
    expect([port, answer.slice(0, 12)]).toEqual([port, expect.stringMatching(/^HTTP\/1.1 (401|403)$/)])
    expect(answer).not.toContain('canary')
  }
})

test('a second user of this machine reads no secret, gets no token and changes nothing at any port; the first does', async () => {
  const secret = `${endpoints['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER']}v1/projects/doors-app/secrets/canary/versions/latest:access`
  const token = `http://127.0.0.1:${metadataPort()}/computeMetadata/v1/instance/service-accounts/default/token`
  const flavor = ['-H', 'Metadata-Flavor: Google']
  expect(await curl(secret)).toContain(Buffer.from('c4n4ry').toString('base64'))
  expect(await curl(...flavor, token)).toContain('access_token')
  if (process.getuid?.() !== 0) return // only root may become somebody else to try
  const other = { uid: 65_534, gid: 65_534 }
  for (const args of [
    [secret],
    ['--http2-prior-knowledge', secret],
    ['-X', 'DELETE', secret.replace(/\/versions.*/, '')],
    [...flavor, token],
  ]) {
    const answer = await curl2(args, other)
    expect([args, answer]).toEqual([args, expect.not.stringMatching(/c4n4ry|YzRuNHJ5|access_token|ya29/)])
  }
  expect(await curl(secret)).toContain(Buffer.from('c4n4ry').toString('base64'))
  // by the proxy of `devcloud env` Google's own names want a token from everybody
  const proxied = [
    '--proxy',
    env['HTTPS_PROXY'] ?? '',
    '--cacert',
    env['SSL_CERT_FILE'] ?? '',
    'https://secretmanager.googleapis.com/v1/projects/doors-app/secrets',
  ]
  expect(await curl(...proxied)).toContain('UNAUTHENTICATED')
})

test('S12: the proxy of `devcloud env` leads to no other host of the world, and `--open` is the way to allow it', async () => {
  const refused = await raw({ host: '127.0.0.1', port: gatewayPort() }, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
  expect(refused).toMatch(/^HTTP\/1.1 403 /)
  const { stdout } = await cli.run(['env', '--open'], { directory })
  expect(stdout).toMatch(/export HTTPS_PROXY='http:\/\/devcloud:[\w-]{32}@127\.0\.0\.1:\d+'/)
})

test('an env that fails prints `false` and nothing else, so that eval sets nothing and tells', async () => {
  for (const args of [
    ['env', '-p', 'nosuch-project'],
    ['env', '--no-such-flag'],
    ['env', '--project'],
  ]) {
    const told = await cli.run(args, { directory })
    expect([args, told.stdout]).toEqual([args, 'false\n'])
    expect(told.code).not.toBe(0)
  }
  const broken = await cli.run(['env'], { directory, env: { DEVCLOUD_STATE_DIR: '/dev/null/state' } })
  expect(broken.stdout).toBe('false\n')
  const { stdout } = await promisify(execFile)('sh', ['-c', 'eval "$(printf false)"; echo "$? ${HTTPS_PROXY-unset}"'], {
    env: { PATH: process.env['PATH'] ?? '' },
  })
  expect(stdout).toBe('1 unset\n')
})

test('a folder without a project is led to devcloud as well', async () => {
  const told = await cli.run(['env', '--json'], { directory: '/', env: { CLOUDSDK_CORE_PROJECT: '', GOOGLE_CLOUD_PROJECT: 'prod-shop' } })
  expect(JSON.parse(told.stdout)).toMatchObject({ HTTPS_PROXY: env['HTTPS_PROXY'] })
})

function gatewayPort(): number {
  return Number(new URL(env['HTTPS_PROXY'] ?? '').port)
}

function metadataPort(): number {
  return Number(env['GCE_METADATA_HOST']?.split(':')[1])
}

async function raw(to: net.NetConnectOpts, text: string): Promise<string> {
  const socket = net.connect(to)
  let answer = ''
  socket.setTimeout(10_000, () => socket.destroy())
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      answer += String(chunk)
      if (answer.includes('\r\n\r\n')) socket.destroy()
    })
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

async function statusOverH2(address: string, port: number, authority: string): Promise<number | string> {
  const session = http2.connect(`http://${address.includes(':') ? `[${address}]` : address}:${port}`)
  const status = await new Promise<number | string>((resolve) => {
    session.once('error', () => resolve('no HTTP/2'))
    const request = session.request({ ':path': '/', ':authority': authority })
    request.once('response', (headers) => resolve(Number(headers[':status']))).once('error', () => resolve('no HTTP/2'))
  })
  session.destroy()
  return status
}

function curl(...args: readonly string[]): Promise<string> {
  return curl2(args, {})
}

async function curl2(args: readonly string[], who: { readonly uid?: number; readonly gid?: number }): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', ['-s', ...args], {
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 20_000,
    ...who,
  })
  return stdout
}
