import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { Client, credentials } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { openCertificateAuthority } from '../../src/gateway/certificate-authority.ts'
import { issueLeaf, keyToPem, makeKeyPair, readAuthority } from '../../src/gateway/certificates.ts'

const run = promisify(execFile)
const dayMs = 86_400_000

test('the authority is the same after a restart, and its key is for its owner alone', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'devcloud-ca-'))
  const first = await openCertificateAuthority(directory)
  const second = await openCertificateAuthority(directory)
  expect(second.certificatePem).toBe(first.certificatePem)
  expect(statSync(join(directory, 'authority.pem')).mode & 0o777).toBe(0o600)
  expect(readFileSync(first.bundlePath, 'utf8').endsWith(first.certificatePem)).toBe(true)
  expect(readFileSync(first.bundlePath, 'utf8').match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50)
})

test('a leaf is kept for two thirds of its life, and then replaced', async () => {
  let nowMs = Date.now()
  const clock = { nowMs: () => nowMs, ticksMs: () => nowMs }
  const authority = await openCertificateAuthority(await mkdtemp(join(tmpdir(), 'devcloud-ca-')), clock)
  const first = await authority.secureContext('storage.googleapis.com')
  nowMs += 19 * dayMs
  expect(await authority.secureContext('storage.googleapis.com')).toBe(first)
  nowMs += 2 * dayMs
  expect(await authority.secureContext('storage.googleapis.com')).not.toBe(first)
})

test('no leaf is issued for a name of somebody else', async () => {
  const authority = await openCertificateAuthority(await mkdtemp(join(tmpdir(), 'devcloud-ca-')))
  for (const host of ['mybank.example', 'evilgoogleapis.com', 'www.google.com', '10.0.0.1', '']) {
    await expect(authority.secureContext(host)).rejects.toThrow('may not vouch')
  }
})

test('curl, Node, Python and gRPC believe a leaf within the name constraints', async () => {
  await using server = await givenTlsServer('storage.googleapis.com')
  for (const told of await clientsOf(server, 'storage.googleapis.com')) expect(told).toMatch(/: ok$/)
})

test('curl, Node, Python and gRPC refuse a leaf outside the name constraints, even one made with the stolen key (S13)', async () => {
  await using server = await givenTlsServer('mybank.example')
  for (const told of await clientsOf(server, 'mybank.example')) expect(told).toMatch(/: refused/)
})

test('127.0.0.1 is believed and another address is not', async () => {
  await using local = await givenTlsServer('127.0.0.1')
  expect((await clientsOf(local, '127.0.0.1')).slice(0, 2)).toEqual(['curl: ok', 'node: ok'])
  await using remote = await givenTlsServer('127.0.0.1', ['127.0.0.1', '10.1.2.3'])
  expect((await clientsOf(remote, '127.0.0.1'))[0]).toMatch(/refused/)
})

/** A server whose leaf is forged with the authority's key, whatever the constraints say. */
async function givenTlsServer(host: string, names: readonly string[] = [host]) {
  const directory = await mkdtemp(join(tmpdir(), 'devcloud-ca-'))
  const { certificatePath, certificatePem } = await openCertificateAuthority(directory)
  const authority = await readAuthority(readFileSync(join(directory, 'authority.pem'), 'utf8'))
  const keys = await makeKeyPair()
  const span = { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) }
  const cert = (await issueLeaf(authority, keys, names, span)) + certificatePem
  const server = tls.createServer({ key: await keyToPem(keys.privateKey), cert, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    socket.on('error', () => {})
    if (socket.alpnProtocol !== 'h2') socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    certificatePath,
    certificatePem,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

interface Given {
  readonly certificatePath: string
  readonly certificatePem: string
  readonly port: number
}

const python = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
with socket.create_connection(('127.0.0.1', int(sys.argv[2]))) as raw:
    context.wrap_socket(raw, server_hostname=sys.argv[3]).close()
`

async function clientsOf({ certificatePath, certificatePem, port }: Given, host: string): Promise<readonly string[]> {
  const connect = [`${host}:${port}:127.0.0.1`, `https://${host}:${port}/`] as const
  return await Promise.all([
    verdict('curl', run('curl', ['-sS', '--noproxy', '*', '--http1.1', '--cacert', certificatePath, '--resolve', ...connect])),
    verdict('node', connectByNode(certificatePem, port, host)),
    verdict('python', run('python3', ['-c', python, certificatePath, String(port), host])),
    verdict('grpc', connectByGrpc(certificatePem, port, host)),
  ])
}

async function verdict(client: string, attempt: Promise<unknown>): Promise<string> {
  return await attempt.then(
    () => `${client}: ok`,
    (error: unknown) => `${client}: refused: ${String(error)}`,
  )
}

async function connectByNode(ca: string, port: number, servername: string): Promise<void> {
  const named = /^[\d.]+$/.test(servername) ? {} : { servername }
  const socket = tls.connect({ host: '127.0.0.1', port, ca, ...named })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.destroy()
}

/** grpc-js is ready once the handshake is over and HTTP/2 settings came; ours sends none, so only a refusal within 2 s is a refusal. */
async function connectByGrpc(ca: string, port: number, host: string): Promise<void> {
  const options = { 'grpc.ssl_target_name_override': host, 'grpc.default_authority': host, 'grpc.enable_http_proxy': 0 }
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(ca)), options)
  try {
    const call = new Promise<void>((_resolve, reject) => {
      const same = (bytes: Buffer) => bytes
      client.makeUnaryRequest('/a/b', same, same, Buffer.alloc(0), { deadline: Date.now() + 5000 }, (error) => reject(error))
    })
    await Promise.race([call, new Promise<void>((resolve) => setTimeout(resolve, 1000))])
  } finally {
    client.close()
  }
}
