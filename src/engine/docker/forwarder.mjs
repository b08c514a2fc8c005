// The forwarder of a project's network: it answers at Google's names inside it, and hands what comes to the daemon's Unix socket.
// One plain file without imports of ours, since it is all that its image holds beside Node.
import dgram from 'node:dgram'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const socketPath = process.env.DEVCLOUD_SOCKET ?? ''
/** Own address in the network, which Google's names resolve to. */
const ownIp = process.env.DEVCLOUD_IP ?? ''
/** First address of the network, from which an instance's link-local address is told to be the instance's. */
const base = toNumber(process.env.DEVCLOUD_BASE ?? '0.0.0.0')
const upstream = /^nameserver\s+(\S+)/m.exec(readFileSync('/etc/resolv.conf', 'utf8'))?.[1] ?? '127.0.0.11'

const names = new Set(['googleapis.com', 'metadata', 'accounts.google.com', 'storage.cloud.google.com'])
const suffixes = ['.googleapis.com', '.google.internal', '.run.app', '.localhost']
/** Queries that wait for an answer from elsewhere; more are dropped, and asked again by whoever asked. */
const maxWaiting = 512
const answerMs = 5000
/** How long a new connection is held while the daemon is away: it may be restarting. */
const daemonMs = 5000

for (const port of [443, 80]) {
  net
    .createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => void forward(client, port))
    .listen(port, '0.0.0.0')
}
net.createServer((client) => serveTcpDns(client)).listen(53, '0.0.0.0')
serveUdpDns()
process.on('SIGTERM', () => process.exit(0))

/** `DEVCLOUD1 10.89.3.4 443\n`, then the bytes of both sides as they are. */
async function forward(client, port) {
  client.on('error', () => client.destroy())
  const source = instanceIp(client.remoteAddress ?? '')
  const daemon = await connectDaemon(client)
  if (daemon === undefined) return void client.resetAndDestroy()
  daemon.on('error', () => client.destroy())
  daemon.on('close', () => client.destroySoon())
  client.on('close', () => daemon.destroySoon())
  daemon.write(`DEVCLOUD1 ${source} ${port}\n`)
  client.pipe(daemon)
  daemon.pipe(client)
  client.resume()
}

async function connectDaemon(client) {
  const deadline = performance.now() + daemonMs
  while (!client.destroyed) {
    const daemon = await new Promise((resolve) => {
      const socket = net.connect({ path: socketPath, allowHalfOpen: true })
      socket.once('connect', () => resolve(socket))
      socket.once('error', () => resolve(undefined))
    })
    if (daemon !== undefined) return daemon
    if (performance.now() > deadline) return undefined
    await sleep(100)
  }
  return undefined
}

/** 169.254.2.44 is the instance at place 300 of the network. */
function instanceIp(address) {
  const ip = address.replace(/^::ffff:/, '')
  if (!ip.startsWith('169.254.')) return ip
  return toDotted(base + toNumber(ip) - toNumber('169.254.1.0'))
}

function serveUdpDns() {
  let waiting = 0
  const server = dgram.createSocket('udp4')
  server.on('error', () => process.exit(1)) // Docker starts it anew
  server.on('message', (query, from) => {
    const answer = ownAnswer(query)
    if (answer !== undefined) return void server.send(answer, from.port, from.address, () => {})
    if (waiting >= maxWaiting) return
    waiting++
    relayUdp(query, (data) => {
      waiting--
      if (data !== undefined) server.send(data, from.port, from.address, () => {})
    })
  })
  server.bind(53, '0.0.0.0')
}

function relayUdp(query, done) {
  const socket = dgram.createSocket(upstream.includes(':') ? 'udp6' : 'udp4')
  const finish = (data) => {
    clearTimeout(timer)
    socket.removeAllListeners('message').close()
    done(data)
  }
  const timer = setTimeout(finish, answerMs, undefined)
  socket.on('error', () => {})
  socket.once('message', finish)
  socket.connect(53, upstream, (error) => {
    if (!error) socket.send(query, () => {})
  })
}

/** Over TCP each message follows its length in two bytes. */
function serveTcpDns(client) {
  let rest = Buffer.alloc(0)
  client.on('error', () => client.destroy()).setTimeout(30_000, () => client.destroy())
  client.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const query = rest.subarray(2, 2 + rest.readUInt16BE(0))
      rest = rest.subarray(2 + query.length)
      const answer = ownAnswer(query)
      if (answer !== undefined) client.write(withLength(answer))
      else relayTcp(query, client)
    }
  })
}

function relayTcp(query, client) {
  const socket = net.connect({ host: upstream, port: 53 })
  const fail = () => {
    socket.destroy()
    if (!client.destroyed) client.write(withLength(failure(query)))
  }
  const timer = setTimeout(fail, answerMs)
  socket.on('error', fail).on('close', () => clearTimeout(timer))
  client.once('close', () => socket.destroy())
  let answer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk])
    if (answer.length < 2 || answer.length < 2 + answer.readUInt16BE(0)) return
    client.write(answer)
    socket.destroy()
  })
  socket.write(withLength(query))
}

/** The answer to a query for one of Google's names; undefined for any other. */
function ownAnswer(query) {
  const question = readQuestion(query)
  if (question === undefined || !(names.has(question.name) || suffixes.some((suffix) => question.name.endsWith(suffix)))) return undefined
  const isAddress = question.type === 1 && question.class === 1 // A, IN; anything else about these names is nothing, without an error
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8080 | (query.readUInt16BE(2) & 0x7900), 2) // answer, recursion available; operation and "recursion desired" as asked
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(isAddress ? 1 : 0, 6)
  const address = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ownIp.split('.').map(Number)]) // the name at byte 12, A, IN, 60 s
  return Buffer.concat([head, query.subarray(12, question.end), ...(isAddress ? [address] : [])])
}

/** The query as an answer that says SERVFAIL (2). */
function failure(query) {
  const answer = Buffer.from(query)
  if (answer.length >= 4) answer.writeUInt16BE(0x8082 | (query.readUInt16BE(2) & 0x7900), 2)
  return answer
}

/** The one question of a query: its name in lower case without the last dot. */
function readQuestion(query) {
  if (query.length < 17 || (query[2] & 0xf8) !== 0 || query.readUInt16BE(4) !== 1) return undefined
  const labels = []
  let at = 12
  for (;;) {
    const length = query[at] ?? 255
    if (length > 63 || at + 1 + length + 4 > query.length) return undefined
    at += 1 + length
    if (length === 0) break
    labels.push(query.toString('latin1', at - length, at))
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at), class: query.readUInt16BE(at + 2), end: at + 4 }
}

function withLength(message) {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function toNumber(ip) {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toDotted(value) {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}
