import { once } from 'node:events'
import net from 'node:net'

// `node idle-clients-process.ts PORT COUNT`: opens COUNT connections, asks once on each, and keeps them. Prints COUNT when all are answered.
const [port, count] = process.argv.slice(2).map(Number) as [number, number]
const request = 'GET /hello HTTP/1.1\r\nHost: bench.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n'

async function open(): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1' })
  socket.on('error', (error) => {
    throw error
  })
  await once(socket, 'connect')
  socket.write(request)
  await once(socket, 'data')
}

const workers = Array.from({ length: 32 }, async (_, worker) => {
  for (let n = worker; n < count; n += 32) await open()
})
await Promise.all(workers)
process.stdout.write(`${count}\n`)
