import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { givenGateway, run } from './given-gateway.ts'

const secret = 'https://secretmanager.googleapis.com/v1/projects/p/secrets/s'

test("Google's Node client reads a secret over gRPC on the production host, led by the environment alone", async () => {
  await using cloud = await givenGateway()
  expect(await run(process.execPath, [join(import.meta.dirname, 'read-secret.ts')], cloud.environment)).toBe('opensesame')
})

test('curl, Python and fetch of Node read it over REST on the production host, led by the environment alone', async () => {
  await using cloud = await givenGateway()
  const python = `import urllib.request as u; print(u.urlopen(u.Request('${secret}', headers={'Authorization': 'Bearer good'})).read().decode())`
  const node = `fetch('${secret}', { headers: { authorization: 'Bearer good' } }).then((r) => r.text()).then((t) => process.stdout.write(t))`
  const answers = await Promise.all([
    run('curl', ['-sS', '--http1.1', '-H', 'Authorization: Bearer good', secret], cloud.environment),
    run('curl', ['-sS', '--http2', '-H', 'Authorization: Bearer good', secret], cloud.environment),
    run('python3', ['-c', python], cloud.environment),
    run(process.execPath, ['-e', node], cloud.environment),
  ])
  for (const answer of answers) expect(JSON.parse(answer)).toMatchObject({ name: 'projects/p/secrets/s', labels: { a: 'b' } })
})

test("a host of Google's that nobody emulates is refused by name over REST and gRPC, and never dialled (S12)", async () => {
  await using cloud = await givenGateway()
  const answer = await run(
    'curl',
    ['-sS', '-w', ' %{http_code}', 'https://compute.googleapis.com/compute/v1/projects/p'],
    cloud.environment,
  )
  expect(answer).toBe('{"error":{"code":400,"message":"devcloud does not emulate compute.googleapis.com.","status":"UNIMPLEMENTED"}} 400')
  const error = await callGrpc(cloud.gateway.port, 'pubsub.googleapis.com', '/google.pubsub.v1.Publisher/ListTopics')
  expect(error).toMatchObject({ code: 12, details: 'devcloud does not emulate pubsub.googleapis.com.' })
})

test('the endpoints port answers REST and gRPC without a token, as the local user', async () => {
  await using cloud = await givenGateway()
  for (const host of ['127.0.0.1', 'localhost']) {
    const answer = await fetch(`http://${host}:${cloud.gateway.port}/v1/projects/p/secrets/s`)
    expect(await answer.json()).toMatchObject({ name: 'projects/p/secrets/s' })
  }
  const unknown = await callGrpc(cloud.gateway.port, undefined, '/google.cloud.secretmanager.v1.SecretManagerService/ListSecrets')
  expect(unknown.code).toBe(12)
})

test('a Host that is not ours gets 421 over HTTP/1.1 and HTTP/2, and two Hosts get 400 (S1)', async () => {
  await using cloud = await givenGateway()
  const { port } = cloud.gateway
  for (const host of ['evil.test', 'evil.test:80', 'localhost.evil.test', 'guestbook.localhost', 'www.google.com', '10.0.0.1']) {
    expect(await sendRaw(port, `GET /v1/projects/p/secrets/s HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 421 /,
    )
    expect(await statusOverH2(port, host)).toBe(421)
  }
  for (const host of ['', 'a b', '%E0%A4%A', '[::1', '//', 'localhost:99999']) {
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d /)
  }
  expect(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400 /,
  )
  expect(await sendRaw(port, 'GET http://169.254.1.1/ HTTP/1.1\r\nHost: 169.254.1.1\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 421 /,
  )
})

test('S2: what a browser sends has no authority at the endpoints port, and runs nothing there', async () => {
  await using cloud = await givenGateway()
  const url = `http://localhost:${cloud.gateway.port}/v1/projects/p/secrets`
  const create = (headers: Record<string, string>) =>
    fetch(`${url}?secretId=n`, { method: 'POST', headers, body: '{"replication":{"automatic":{}}}' })
  const here = `http://localhost:${cloud.gateway.port}`
  const marks = [
    ...['http://evil.test', 'http://other.localhost', 'null', '\u00e9', here].map((origin) => ({ origin })),
    ...['cross-site', 'same-site', 'same-origin', 'none'].map((site) => ({ 'sec-fetch-site': site })),
    { 'sec-fetch-dest': 'document' },
    { 'user-agent': 'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Safari/605.1.15' },
  ]
  for (const mark of marks) {
    for (const answer of [await create(mark), await fetch(`${url}/s`, { headers: mark })]) {
      expect([mark, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([mark, 401, null])
      expect(answer.headers.get('content-security-policy')).toContain('sandbox;')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
  }
  expect((await create({})).status).toBe(200)
})

test('a connection of another user of this machine has no authority; a token of this machine gives it (linux: by uid)', async () => {
  await using cloud = await givenGateway()
  const url = `http://127.0.0.1:${cloud.gateway.port}/v1/projects/p/secrets/s`
  const status = ['-s', '-o', '/dev/null', '-w', '%{http_code}']
  const asNobody = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('curl', [...status, ...args], { uid: 65_534, gid: 65_534, timeout: 20_000 })
    return stdout
  }
  expect(await run('curl', [...status, url], {})).toBe('200')
  if (process.getuid?.() === 0) {
    expect(await asNobody(url)).toBe('401')
    expect(await asNobody('--http2-prior-knowledge', url)).toBe('401')
    expect(await asNobody('-H', `x-devcloud-token: ${cloud.machineToken.value}`, url)).toBe('200')
    expect(await asNobody(url.replace('//', `//${cloud.machineToken.value}@`))).toBe('200')
    expect(await asNobody('-H', `x-devcloud-token: ${cloud.machineToken.tunnelValue}`, url)).toBe('401')
  }
})

test("a container's connections reach the product by TLS, the metadata server with their own address, and the router", async () => {
  await using cloud = await givenGateway()
  const path = await cloud.gateway.listenForProject('shop')
  expect([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700])
  expect(await cloud.gateway.listenForProject('shop')).toBe(path)

  const head = (host: string) =>
    `GET /v1/projects/p/secrets/s HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n`
  const ca = cloud.authority.certificatePem
  expect(await sendForwarded(path, 443, 'secretmanager.googleapis.com', ca, head('secretmanager.googleapis.com'))).toContain('"name"')
  expect(await sendForwarded(path, 443, 'guestbook-x7k2-uc.a.run.app', ca, head('guestbook-x7k2-uc.a.run.app'))).toContain('router tls')
  expect(await sendForwarded(path, 80, undefined, ca, head('guestbook-x7k2-uc.a.run.app'))).toContain('router plain')
  for (const host of ['metadata.google.internal', '169.254.169.254', 'metadata.google.internal.']) {
    expect(await sendForwarded(path, 80, undefined, ca, head(host))).toContain('metadata')
  }
  expect(cloud.asked).toEqual(Array.from({ length: 3 }, () => ({ project: 'shop', ip: '10.89.3.4' })))
  for (const host of ['localhost', '127.0.0.1', 'secretmanager.localhost', `localhost:${cloud.gateway.port}`]) {
    expect(await sendForwarded(path, 80, undefined, ca, head(host))).toMatch(/^HTTP\/1.1 421 |router plain/)
  }
  expect(await sendForwarded(path, 22, undefined, ca, head('localhost'))).toBe('')
})

test('a forwarder that serves several projects names them itself', async () => {
  await using cloud = await givenGateway()
  const socket = net.connect(cloud.gateway.socketPath)
  socket.write('DEVCLOUD1 10.89.3.4 80 shop\nGET / HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n\r\n')
  expect(await readAll(socket)).toContain('metadata')
  expect(cloud.asked).toEqual([{ project: 'shop', ip: '10.89.3.4' }])
})

test('TLS is 1.2 or 1.3 with h2 and http/1.1, a name that may not be vouched for fails alone, and 100 streams are the limit (S29)', async () => {
  await using cloud = await givenGateway()
  const { port } = cloud.gateway
  const ca = cloud.authority.certificatePem
  const meet = async (options: tls.ConnectionOptions) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'secretmanager.googleapis.com', ...options })
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    socket.destroy()
    return [socket.getProtocol() ?? '', socket.alpnProtocol]
  }
  expect((await meet({ maxVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }))[1]).toBe('http/1.1')
  expect((await meet({ minVersion: 'TLSv1.3', ALPNProtocols: ['h2', 'http/1.1'] }))[1]).toBe('h2')
  await expect(meet({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow()
  await expect(meet({ servername: 'mybank.example' })).rejects.toThrow()
  await expect(meet({ ALPNProtocols: ['spdy/3'] })).rejects.toThrow()

  const session = http2.connect(`http://127.0.0.1:${port}`)
  const settings = await new Promise<http2.Settings>((resolve) => session.once('remoteSettings', resolve))
  expect(settings.maxConcurrentStreams).toBe(100)
  session.destroy()
})

test("CONNECT to a host that is not Google's is refused with the command that allows it, and a tunnel with the token of that command", async () => {
  await using cloud = await givenGateway()
  const server = http.createServer((_request, response) => response.end('outside'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { gateway, machineToken } = cloud
  for (const host of ['127.0.0.1', 'localhost', '10.0.0.1', '[::1]', 'example.com']) {
    const answer = await sendRaw(gateway.port, `CONNECT ${host}:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 403 /)
    expect(answer).toContain('eval "$(devcloud env --open)"')
  }
  const proxy = (user: string) => ['-sS', '--noproxy', '', '--proxytunnel', '--proxy', `http://devcloud:${user}@127.0.0.1:${gateway.port}`]
  await expect(run('curl', [...proxy('wrong'), `http://127.0.0.1:${port}/`], cloud.environment)).rejects.toThrow('403')
  expect(await run('curl', [...proxy(machineToken.tunnelValue), `http://127.0.0.1:${port}/`], cloud.environment)).toBe('outside')
  await expect(run('curl', [...proxy(machineToken.tunnelValue), 'http://127.0.0.1:1/'], cloud.environment)).rejects.toThrow('502')
  server.close()
  expect(await sendRaw(gateway.port, 'CONNECT // HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
})

test('garbage on any way in ends that connection and nothing else (S14)', async () => {
  await using cloud = await givenGateway()
  const { port, socketPath } = cloud.gateway
  const noise = [
    Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage after a TLS head', 'latin1'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnot a frame at all, and long enough to be read as one'),
    Buffer.from('\0\0\0\0'),
    Buffer.from('GET'),
    Buffer.from('GET / HTTP/9.9\r\n\r\n'),
    Buffer.from('CONNECT storage.googleapis.com:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16garbage', 'latin1'),
    Buffer.from('DEVCLOUD1 nowhere 443\n'),
    Buffer.from('DEVCLOUD1 10.0.0.1 443\n\x16\x03\x01garbage', 'latin1'),
    Buffer.alloc(200_000, 'x'),
  ]
  const throwInto = async (socket: net.Socket, bytes: Buffer, reset: boolean) => {
    socket.on('error', () => {})
    socket.write(bytes)
    setTimeout(() => (reset ? socket.resetAndDestroy() : socket.end()), 20)
    await new Promise((resolve) => socket.resume().once('close', resolve))
  }
  for (const bytes of noise) {
    await Promise.all([throwInto(net.connect(port, '127.0.0.1'), bytes, false), throwInto(net.connect(port, '127.0.0.1'), bytes, true)])
    await throwInto(net.connect(socketPath), bytes, false)
  }
  expect((await fetch(`http://localhost:${port}/v1/projects/p/secrets/s`)).status).toBe(200)
  expect(await run('curl', ['-sS', '-H', 'Authorization: Bearer good', secret], cloud.environment)).toContain('projects/p/secrets/s')
})

test('a port that is taken is told by its number', async () => {
  await using cloud = await givenGateway()
  const { listenOnLoopback } = await import('../../src/gateway/listen.ts')
  await expect(listenOnLoopback(cloud.gateway.port, () => {})).rejects.toMatchObject({ fault: 'PORT_TAKEN' })
})

async function readAll(socket: net.Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk))).on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

async function sendRaw(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(text)
  return await readAll(socket)
}

/** What a forwarder sends for a container at 10.89.3.4: TLS where `servername` is given. */
async function sendForwarded(path: string, port: number, servername: string | undefined, ca: string, text: string): Promise<string> {
  const raw = net.connect(path)
  raw.on('error', () => {}).write(`DEVCLOUD1 10.89.3.4 ${port}\n`)
  const socket = servername === undefined ? raw : tls.connect({ socket: raw, servername, ca, ALPNProtocols: ['h2', 'http/1.1'].slice(1) })
  socket.write(text)
  return await readAll(socket)
}

async function statusOverH2(port: number, authority: string): Promise<number> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const request = session.request({ ':path': '/v1/projects/p/secrets/s', ':authority': authority })
  const status = await new Promise<number>((resolve, reject) => {
    request.once('response', (headers) => resolve(Number(headers[':status']))).once('error', reject)
  })
  session.destroy()
  return status
}

/** An empty message to a method over h2c. @returns the error that comes */
async function callGrpc(port: number, authority: string | undefined, method: string) {
  const named = authority === undefined ? {} : { 'grpc.default_authority': authority }
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0, ...named })
  const same = (bytes: Buffer) => bytes
  const error = await new Promise<{ readonly code?: number; readonly details?: string }>((resolve) => {
    client.makeUnaryRequest(method, same, same, Buffer.alloc(0), new Metadata(), (told) => resolve(told ?? {}))
  })
  client.close()
  return error
}
