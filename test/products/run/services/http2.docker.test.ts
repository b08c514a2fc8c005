import { execFile } from 'node:child_process'
import http2 from 'node:http2'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { isRecord } from '../../../../src/base/is-record.ts'
import { Client, credentials, status, type ChannelCredentials, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenRun, type GivenRun } from '../given-run.ts'

/**
 * A gRPC server on cleartext HTTP/2: it sends back each message as it comes, and a status of OK in trailers. The path `/http` answers what it was
 * asked by.
 */
const grpcServer = `
  const server = require('node:http2').createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    if (headers[':path'] === '/http') return stream.respond({ ':status': 200 }), stream.end('HTTP/2 ' + headers[':authority'])
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-revision': process.env.K_REVISION }))
    stream.on('data', (piece) => stream.write(piece)).on('end', () => stream.end())
  })
  server.listen(process.env.PORT)
  process.on('SIGTERM', () => process.exit())`

/** Asks `?url=` with HTTP/2 over TLS, and believes the system's own file of certificates alone. */
const http2Caller = `
  const { readFileSync } = require('node:fs')
  const http = require('node:http')
  const http2 = require('node:http2')
  http.createServer((request, response) => {
    const url = new URL(new URL(request.url, 'http://x').searchParams.get('url'))
    const session = http2.connect(url, { ca: readFileSync('/etc/ssl/certs/ca-certificates.crt') })
    session.on('error', (error) => response.end('failed: ' + error.message))
    const stream = session.request({ ':path': url.pathname })
    let text = ''
    stream.on('error', () => {}).on('data', (piece) => (text += piece)).on('end', () => {
      response.end(session.alpnProtocol + ' ' + text)
      session.close()
    })
  }).listen(process.env.PORT)
  process.on('SIGTERM', () => process.exit())`

describe('HTTP/2 and the names of services', { timeout: 120_000 }, () => {
  let run: GivenRun
  const hosts: Record<string, string[]> = {}
  beforeAll(async () => {
    run = await givenRun()
    const open = { invokerIamDisabled: true }
    const traffic = [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 100, tag: 'blue' }]
    const h2c = { command: ['node', '-e', grpcServer], ports: [{ name: 'h2c', containerPort: 8080 }] }
    const services = {
      echo: await run.deploy('echo', { container: h2c, service: { ...open, traffic } }),
      plain: await run.deploy('plain', { service: { ...open, traffic } }),
      caller: await run.deploy('caller', { container: { command: ['node', '-e', http2Caller] }, service: open }),
    }
    for (const [id, { urls, trafficStatuses }] of Object.entries(services)) {
      const tags = (Array.isArray(trafficStatuses) ? trafficStatuses : []).filter(isRecord).map(({ uri }) => uri)
      const own = (Array.isArray(urls) ? urls : []).map(String)
      hosts[id] = [...own, ...own.map((url) => url.replace('https://', 'https://blue---'))].map((url) => new URL(url).host)
      if (id !== 'caller') expect(tags).toContain(`https://${hosts[id].find((host) => /^blue---.*\.a\.run\.app$/.test(host))}`)
    }
  }, 180_000)
  afterAll(async () => await run[Symbol.asyncDispose]())

  const port = () => run.house.foundation.router.port
  const ca = () => run.house.foundation.authority.certificatePem
  const inside = async (service: string, url: string) => (await run.ask(service, `/fetch?url=${encodeURIComponent(url)}`)).body
  const hashed = (service: string) => hosts[service]?.find((host) => /^[^-]+-[^-].*\.a\.run\.app$/.test(host)) ?? ''

  /** A client of the service's own name, which this machine does not resolve. */
  const grpc = (host: string, secure: ChannelCredentials) =>
    new Client(`127.0.0.1:${port()}`, secure, { 'grpc.default_authority': host, 'grpc.ssl_target_name_override': host })
  const asIs = (bytes: Buffer) => bytes
  const unary = (client: Client, text: string) =>
    new Promise<{ readonly error: ServiceError | null; readonly text: string; readonly revision: unknown }>((resolve) => {
      let revision: unknown
      const call = client.makeUnaryRequest(
        '/test.Echo/Unary',
        asIs,
        asIs,
        Buffer.from(text),
        (error: ServiceError | null, answer?: Buffer) => setImmediate(() => resolve({ error, text: String(answer), revision })),
      )
      call.on('status', ({ metadata }) => ([revision] = metadata.get('x-revision')))
    })

  test('run trap 44: a gRPC service on a port named h2c is called by its run.app URL over TLS, by each of its names', async () => {
    expect(hosts['echo']).toHaveLength(4)
    for (const host of hosts['echo'] ?? []) {
      const client = grpc(host, credentials.createSsl(Buffer.from(ca())))
      const answer = await unary(client, `to ${host}`)
      expect(answer, host).toMatchObject({ error: null, text: `to ${host}`, revision: expect.stringMatching(/^echo-00001-/) })
      client.close()
    }
    const stranger = grpc('nobody-x-uc.a.run.app', credentials.createSsl(Buffer.from(ca())))
    expect((await unary(stranger, 'a')).error?.code).toBe(status.UNIMPLEMENTED)
    stranger.close()
  })

  test('run trap 44: a bidirectional stream passes unbuffered, in cleartext with prior knowledge', async () => {
    const client = grpc('echo.localhost', credentials.createInsecure())
    const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest('/test.Echo/Chat', asIs, asIs)
    for (const text of ['one', 'two', 'three']) {
      call.write(Buffer.from(text))
      expect(String(await new Promise((resolve) => call.once('data', resolve)))).toBe(text)
    }
    call.end()
    call.resume()
    expect(await new Promise((resolve) => call.once('status', resolve))).toMatchObject({ code: status.OK })
    client.close()
  })

  test('run trap 27: each form of a name answers TLS from the host, with HTTP/2 and with HTTP/1.1', async () => {
    for (const host of hosts['plain'] ?? []) {
      const session = http2.connect(`https://${host}`, {
        createConnection: () => tls.connect({ port: port(), host: '127.0.0.1', servername: host, ca: ca(), ALPNProtocols: ['h2'] }),
      })
      const stream = session.request({ ':path': '/env' })
      let text = ''
      stream.on('data', (piece: Buffer) => (text += piece.toString()))
      await new Promise((resolve, reject) => void stream.on('end', resolve).on('error', reject))
      expect(JSON.parse(text), host).toMatchObject({ K_SERVICE: 'plain' })
      session.close()
      for (const version of ['--http1.1', '--http2']) {
        const args = ['-sS', version, '--cacert', run.house.foundation.authority.certificatePath, '-w', ' %{http_version}']
        const connect = ['--connect-to', `${host}:443:127.0.0.1:${port()}`, `https://${host}/id`]
        expect((await promisify(execFile)('curl', [...args, ...connect])).stdout, host).toMatch(version === '--http2' ? / 2$/ : / 1\.1$/)
        const proxy = ['--proxy', `http://127.0.0.1:${run.house.gateway.port}`, `https://${host}/id`]
        expect((await promisify(execFile)('curl', [...args, ...proxy])).stdout, host).toMatch(version === '--http2' ? / 2$/ : / 1\.1$/)
      }
    }
  })

  test('run trap 27: an instance calls another service by each of its names, over HTTP/1.1 and over HTTP/2, with the system certificates', async () => {
    for (const host of hosts['plain'] ?? []) {
      expect(await inside('plain', `https://${host}/env`), host).toMatch(/^200 .*"K_SERVICE":"plain"/)
      const { body } = await run.ask('caller', `/?url=${encodeURIComponent(`https://${host}/env`)}`)
      expect(body, host).toMatch(/^h2 .*"K_SERVICE":"plain"/)
    }
    expect(await inside('plain', `https://${hashed('echo')}/http`)).toBe(`200 HTTP/2 ${hashed('echo')}`)
    const { body } = await run.ask('caller', `/?url=${encodeURIComponent(`https://${hashed('echo')}/http`)}`)
    expect(body).toBe(`h2 HTTP/2 ${hashed('echo')}`)
  })

  test('run trap 23: a service that an instance calls sees the address of that instance, over HTTP/1.1 and over HTTP/2', async () => {
    const url = `https://${hashed('plain')}/headers`
    const { body } = await run.ask('caller', `/?url=${encodeURIComponent(url)}`)
    for (const text of [await inside('plain', url), body]) {
      expect(text).toMatch(/"x-forwarded-for":"(?!127\.)\d+\.\d+\.\d+\.\d+"/)
    }
  })
})
