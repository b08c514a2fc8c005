import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { kept, withSharedReads } from '../../src/router/shared-reads.ts'

/** A server whose connections read by shared reads; `onRead` is told the connection's number and what came. */
async function givenServer(onRead: (n: number, data: Buffer, socket: net.Socket) => void) {
  const sockets: net.Socket[] = []
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const n = sockets.length
    const moved = withSharedReads(socket, (data) => onRead(n, data, moved))
    sockets.push(moved)
    moved.on('end', () => moved.end()).on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connections = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test("a server's socket reads into the shared buffer, and what is kept outlives the next read of another one", async () => {
  const held: { readonly n: number; readonly data: Buffer }[] = []
  const raw: Buffer[] = []
  await using server = await givenServer((n, data) => {
    raw.push(data)
    held.push({ n, data: kept(data) })
  })
  const [a, b] = [net.connect(server.port, '127.0.0.1'), net.connect(server.port, '127.0.0.1')]
  await Promise.all([once(a, 'connect'), once(b, 'connect')])
  a.write('from a')
  await until(() => held.length === 1)
  b.write('FROM B')
  await until(() => held.length === 2)
  expect(held.map(({ data }) => data.toString())).toEqual(['from a', 'FROM B'])
  expect(raw[0]?.buffer).toBe(raw[1]?.buffer)
  expect(raw[0]?.toString()).toBe('FROM B') // without kept, it is what the buffer now holds
  a.destroy()
  b.destroy()
})

test('a long body comes whole, in buffers of its own once it fills the shared one', async () => {
  const sent = Buffer.alloc(3_000_000, 'abcdefghijklmno')
  const pieces: Buffer[] = []
  await using server = await givenServer((_n, data) => pieces.push(kept(data)))
  const client = net.connect(server.port, '127.0.0.1')
  client.end(sent)
  await once(client.resume(), 'close')
  expect(Buffer.concat(pieces).equals(sent)).toBe(true)
})

test('the moved socket tells the end, pauses, answers, and leaves its place among the connections of the server', async () => {
  let came = ''
  await using server = await givenServer((_n, data, socket) => {
    came += data.toString()
    socket.write(`got ${came.length}`)
  })
  const client = net.connect(server.port, '127.0.0.1')
  let answer = ''
  client.on('data', (data) => (answer += data.toString()))
  client.write('12345')
  await until(() => answer === 'got 5')
  expect(await server.connections()).toBe(1)
  server.sockets[0]?.pause()
  client.write('678')
  await sleep(50)
  expect(came).toBe('12345')
  server.sockets[0]?.resume()
  await until(() => answer === 'got 5got 8')
  client.end() // its half: the server's 'end' ends the other one
  await once(client, 'close')
  await until(async () => (await server.connections()) === 0)
})

test('a socket that is closed already stays as it is', () => {
  const socket = new net.Socket()
  socket.destroy()
  expect(withSharedReads(socket, () => {})).toBe(socket)
})

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return
    await sleep(5)
  }
  throw new Error('It did not come to hold within 2 s.')
}
