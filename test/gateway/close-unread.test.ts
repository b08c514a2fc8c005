import http from 'node:http'
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenGateway, type GivenGateway } from './given-gateway.ts'

let cloud: GivenGateway
beforeAll(async () => void (cloud = await givenGateway()))
afterAll(() => cloud[Symbol.asyncDispose]())

const get = 'GET /v1/projects/p/secrets/s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
const post = 'POST /v1/projects/p/secrets/s:nonsense HTTP/1.1\r\nHost: localhost\r\n'

test.each([
  ['by the gateway', 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100000\r\n\r\nthe first bytes', ' 421 '],
  ['by a product', `${post}Content-Length: 99999999\r\n\r\n{"a`, ' 400 '],
  ['with an unreadable coding', `${post}Content-Encoding: br\r\nContent-Length: 100\r\n\r\n{"a`, ' 400 '],
])(
  'a request refused %s before its body came ends the connection: nothing behind it is taken for a request',
  async (_who, head, status) => {
    const socket = net.connect(cloud.gateway.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk))).on('error', () => {})
    socket.write(head)
    const [first] = await new Promise<[string]>((resolve) => socket.once('data', (chunk) => resolve([String(chunk)])))
    expect(first).toMatch(new RegExp(`^HTTP/1.1${status}[^]*connection: close`, 'i'))
    socket.write(get)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  },
)

test('a client that is still sending reads why it was refused', async () => {
  const options = { port: cloud.gateway.port, method: 'POST', path: '/', headers: { host: 'example.com', 'content-length': 40 << 20 } }
  const status = await new Promise((resolve, reject) => {
    const outgoing = http.request(options, (incoming) => incoming.resume().once('end', () => resolve(incoming.statusCode)))
    outgoing.on('error', reject).end(Buffer.alloc(40 << 20))
  })
  expect(status).toBe(421)
})

test('a connection whose refused request was read to its end goes on', async () => {
  const socket = net.connect(cloud.gateway.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk))).on('error', () => {})
  socket.write(`${post}Content-Length: 8\r\n\r\n{"a":`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.write(`1}\n${get}`)
  await new Promise((resolve) => socket.once('close', resolve))
  expect(text.match(/HTTP\/1\.1 \d+/g)).toHaveLength(2)
})
