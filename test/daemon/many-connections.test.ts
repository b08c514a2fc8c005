import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import net, { type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

const app = givenApp('many-app', server("'served'"), { 'devcloud.yaml': 'secrets: { many-key: { random: 16 } }\nbuckets: [many-bytes]\n' })

/** Opens connections to a port, asks nothing on them, and answers those that stay open for a moment. */
async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = net.connect({ host: '127.0.0.1', port })
          socket.once('connect', () => resolve(socket)).once('error', () => resolve(socket))
        }),
    ),
  )
  await new Promise((resolve) => setTimeout(resolve, 1000))
  return sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open')
}

/** One keep-alive connection: asks once more on it. */
function askOn(socket: Socket, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (piece) => resolve(String(piece))).once('close', () => reject(new Error('closed')))
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  })
}

const filesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length
const rssMbOf = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

test('F15: a daemon that has few files left closes what comes, keeps what is open, works on, tells it once, and recovers', async () => {
  await using cli = givenCli()
  // few files for the daemon, which inherits them
  const limited = [
    '--nofile=400:400',
    process.execPath,
    fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)),
    'daemon',
    'start',
  ]
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0' }
  execFileSync('prlimit', limited, { env, stdio: 'ignore' })
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(told, told.stderr).toMatchObject({ code: 0 })
  const url = new URL(/http:\S+/.exec(told.stdout)?.[0] ?? '')
  const early = net.connect({ host: '127.0.0.1', port: Number(url.port) })
  expect(await askOn(early, url.host)).toContain('served')

  const open = await openIdle(Number(url.port), 600)
  expect(open.length).toBeGreaterThan(100)
  expect(open.length).toBeLessThan(250)
  expect(await askOn(early, url.host)).toContain('served')
  // the rest of the house has files: state, storage, another instance
  expect(await cli.run(['status'])).toMatchObject({ code: 0 })
  app.write('server.cjs', server("'served anew'"))
  const again = await cli.run(['up', '--engine', 'process', '--json'], { directory: app.directory })
  expect(again, again.stderr).toMatchObject({ code: 0 })
  const lines = readFileSync(join(cli.stateDirectory, 'daemon.log'), 'utf8').split('\n')
  expect(lines.filter((line) => line.includes('takes no more connections'))).toHaveLength(1)

  for (const socket of open) socket.destroy()
  await expect.poll(async () => (await ask(url.href).catch(() => undefined))?.body, { timeout: 10_000 }).toBe('served anew')
  early.destroy()
})

/** A client of its own: each connection asks once and stays. Says `open N`, and holds them until its standard input ends. */
const holder = `
const net = require('node:net')
const [port, host, count] = process.argv.slice(1)
let open = 0
let begun = 0
const next = () => {
  if (begun++ >= count) return
  const socket = net.connect({ host: '127.0.0.1', port })
  socket.once('connect', () => socket.write('GET / HTTP/1.1\\r\\nHost: ' + host + '\\r\\n\\r\\n'))
  socket.once('data', () => {
    open += 1
    if (open === Number(count)) console.log('open ' + open)
    next()
  })
  socket.on('error', (error) => console.log(error.code))
}
for (let n = 0; n < 64; n++) next()
process.stdin.resume().once('end', () => process.exit())
`

test('F38: 10,000 connections at rest take less than 250 MB, and a new one is answered', { timeout: 120_000 }, async () => {
  await using cli = givenCli()
  const told = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  const url = new URL(/http:\S+/.exec(told.stdout)?.[0] ?? '')
  const pid = await cli.daemonPid()
  const before = rssMbOf(pid)
  const client = spawn(process.execPath, ['-e', holder, url.port, url.host, '10000'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = await new Promise((resolve) => client.stdout.setEncoding('utf8').once('data', resolve))
  expect(said).toBe('open 10000\n')
  expect(filesOf(pid)).toBeGreaterThan(10_000)
  expect((await ask(url.href)).body).toMatch(/^served/)
  expect(rssMbOf(pid) - before).toBeLessThan(250)
  client.stdin.end()
  await expect.poll(() => filesOf(pid), { timeout: 30_000 }).toBeLessThan(200)
  expect((await ask(url.href)).body).toMatch(/^served/)
})
