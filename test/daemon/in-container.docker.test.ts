import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, givenCli, type GivenCli } from '../cli/given-cli.ts'
import { givenApp } from './given-app.ts'
import { tcpListeners } from './listeners.ts'

/** Sends what it is told to wherever it is told, and answers what came back. */
const program = `
process.on('SIGTERM', () => process.exit())
const net = require('node:net'), tls = require('node:tls'), fs = require('node:fs')
require('node:http').createServer(async (request, response) => {
  const { host, port, secure, text } = JSON.parse(Buffer.concat(await request.toArray()))
  if (host === 'files') return response.end(JSON.stringify([fs.existsSync('/var/run/docker.sock'), Object.values(require('node:os').networkInterfaces()).flat().map((one) => one.address)]))
  const ca = secure ? fs.readFileSync(process.env.SSL_CERT_FILE) : undefined
  const socket = secure ? tls.connect({ host, port, servername: host, ca }) : net.connect({ host, port })
  let got = ''
  socket.setTimeout(3000, () => socket.destroy(new Error('silent')))
  socket.on('data', (chunk) => (got += chunk)).on('error', (error) => (got ||= error.code || error.message)).on('close', () => response.end(got))
  socket.write(text)
}).listen(process.env.PORT, '0.0.0.0')
`
let cli: GivenCli
let url: string
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  cli = givenCli()
  const app = givenApp('inside-app', program, { 'devcloud.yaml': 'secrets: { own-key: { value: mine } }\n' })
  const told = await cli.run(['up', '--engine', 'docker', '-d'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  url = /http:\S+/.exec(told.stdout)?.[0] ?? ''
  env = JSON.parse((await cli.run(['env', '--endpoints', '--json'], { directory: app.directory })).stdout) as typeof env
  const secrets = `${env['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER']}v1/projects/other-app/secrets`
  const json = (body: object) => ({ method: 'POST', body: JSON.stringify(body) })
  expect((await fetch(`${secrets}?secretId=key`, json({ replication: { automatic: {} } }))).status).toBe(200)
  expect((await fetch(`${secrets}/key:addVersion`, json({ payload: { data: 'YzRuNHJ5' } }))).status).toBe(200)
}, 180_000)
afterAll(() => cli[Symbol.asyncDispose]())

test("inside a container Google's names answer alone: a name of the host's own ports is no way in, with any path and by TLS too", async () => {
  const hosts = [
    'us-central1-run.localhost',
    'run.localhost',
    'localhost',
    '127.0.0.1',
    'storage.localhost',
    'shop.storage.localhost',
    `localhost:${gatewayPort()}`,
  ]
  const paths = [
    '/apis/serving.knative.dev/v1/namespaces/other-app/services',
    '/v1/projects/other-app/secrets/key/versions/1:access',
    '/storage/v1/b?project=other-app',
  ]
  for (const host of hosts) {
    for (const path of paths) {
      for (const secure of [false, true]) {
        const answer = await send('run.googleapis.com', secure ? 443 : 80, get(host, path), secure)
        expect([host, path, answer]).toEqual([host, path, expect.stringMatching(/^HTTP\/1.1 4(21|04|00) /)])
        expect(answer).not.toMatch(/YzRuNHJ5|"items"|"apiVersion"/)
      }
    }
  }
})

test('without a token a container has no authority, with its own only in its own project', async () => {
  const path = (project: string, key: string) => `/v1/projects/${project}/secrets/${key}/versions/latest:access`
  const host = 'secretmanager.googleapis.com'
  expect(await send(host, 443, get(host, path('inside-app', 'own-key')), true)).toMatch(/^HTTP\/1.1 401 /)
  const metadata = get('metadata.google.internal', '/computeMetadata/v1/instance/service-accounts/default/token', 'Metadata-Flavor: Google')
  const [token = ''] = /ya29\.[\w.-]+/.exec(await send('metadata.google.internal', 80, metadata)) ?? []
  const bearer = `Authorization: Bearer ${token}`
  expect(await send(host, 443, get(host, path('inside-app', 'own-key'), bearer), true)).toContain(Buffer.from('mine').toString('base64'))
  expect(await send(host, 443, get(host, path('other-app', 'key'), bearer), true)).toMatch(/^HTTP\/1.1 403 [^]*PERMISSION_DENIED/)
  const run = 'us-central1-run.googleapis.com'
  expect(await send(run, 443, get(run, '/apis/serving.knative.dev/v1/namespaces/other-app/services', bearer), true)).toMatch(
    /^HTTP\/1.1 403 /,
  )
})

test('S10: the metadata server answers its own header alone, and nothing that a proxy passed on', async () => {
  const token = '/computeMetadata/v1/instance/service-accounts/default/token'
  for (const header of ['X-A: b', 'Metadata-Flavor: Google\r\nX-Forwarded-For: 1.2.3.4']) {
    expect(await send('metadata.google.internal', 80, get('metadata.google.internal', token, header))).toMatch(/^HTTP\/1.1 403 /)
  }
  expect(await send('metadata.google.internal', 80, get('evil.test', token, 'Metadata-Flavor: Google'))).toMatch(/^HTTP\/1.1 (421|404) /)
})

test('S6: from a container no port of the daemon is reached by the address of its network’s gateway, and no engine’s socket is there', async () => {
  const [hasSocket, addresses] = JSON.parse(await send('files', 0, '')) as [boolean, readonly string[]]
  expect(hasSocket).toBe(false)
  // a bridge has the first address of its network
  const gateways = addresses.filter((one) => /^\d+\./.test(one) && !one.startsWith('127.')).map((one) => one.replace(/\d+$/, '1'))
  const pid = await cli.daemonPid()
  const ports = [...new Set(tcpListeners(pid).map(({ port }) => port))]
  expect(gateways.length).toBeGreaterThan(0)
  for (const gateway of gateways) {
    for (const port of ports) {
      const answer = await send(gateway, port, get(`localhost:${port}`, '/v1/projects/other-app/secrets/key/versions/1:access'))
      expect([gateway, port, answer]).toEqual([
        gateway,
        port,
        expect.stringMatching(/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|silent)$/),
      ])
    }
  }
})

function gatewayPort(): string {
  return new URL(env['STORAGE_EMULATOR_HOST'] ?? '').port
}

function get(host: string, path: string, header = 'X-A: b'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${header}\r\nConnection: close\r\n\r\n`
}

async function send(host: string, port: number, text: string, secure = false): Promise<string> {
  const { body } = await ask(url, { method: 'POST', body: JSON.stringify({ host, port, secure, text }) })
  return body
}
