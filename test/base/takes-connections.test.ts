import { once } from 'node:events'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { takesConnections } from '../../src/base/takes-connections.ts'

test('a port takes connections while something listens on it; the connection that asked is closed', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port }
  const closed = once(server, 'connection').then(([socket]) => once(socket as net.Socket, 'close'))
  expect(await takesConnections(address, 1000)).toBe(true)
  await closed
  server.close()
  await once(server, 'close')
  expect(await takesConnections(address, 1000)).toBe(false)
})

test('a port whose queue is full and never read takes no connection: it is given up after the time', async () => {
  const worker = new Worker(deaf, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const fillers = Array.from({ length: 5 }, () => net.connect({ host: '127.0.0.1', port }).on('error', () => {}))
  await once(fillers[0] ?? worker, 'connect')
  expect(await takesConnections({ host: '127.0.0.1', port }, 100)).toBe(false)
  for (const socket of fillers) socket.destroy()
  await worker.terminate()
})

/** Listens with the shortest queue, and takes nothing out of it. */
const deaf = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000))
  })`
