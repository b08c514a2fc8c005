import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import Docker from 'dockerode'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { projectSocketFolder } from '../../src/base/paths.ts'
import { openDockerEngine, type DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { stateId } from '../../src/engine/docker/docker-host.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import type { Container } from '../../src/engine/engine.ts'

const soon = () => AbortSignal.timeout(60_000)
const project = `forwarder-${process.pid}`
const directory = mkdtempSync(join(tmpdir(), 'devcloud-forwarder-'))
const socketPath = join(directory, 'gateway.sock')

let engine: DockerEngine
let container: Container
let gateway: net.Server

beforeAll(async () => {
  gateway = await listen()
  engine = await openDockerEngine({ stateDirectory: directory, log: openLog(undefined), gateway: { socketPath } })
  await engine.openProject(project, soon())
  const image = await importNodeImage(new Docker(), 'devcloud-test/node', {}, soon())
  const command = ['node', '-e', 'setInterval(() => {}, 1000)']
  const spec = { name: 'client', project, image, command, env: {}, mounts: [], labels: {}, serviceAccount: 'me@p.iam' }
  container = await engine.start(spec, soon())
})
afterAll(async () => {
  await engine.removeProject(project, soon())
  gateway.close()
})

/** A gateway that answers with the line that it was given, and with what follows in capitals. */
async function listen(): Promise<net.Server> {
  const path = join(projectSocketFolder(socketPath, project), 'gateway.sock')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  rmSync(path, { force: true })
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('end', () => socket.end(text.toUpperCase()))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

async function run(program: string): Promise<string> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await container.exec(['node', '-e', program], { stdout, stderr }, soon())
  expect([code, stderr.read()?.toString() ?? '']).toEqual([0, ''])
  return (stdout.read()?.toString() ?? '').trim()
}

/** Sends `hello` and ends its half; the answer comes after that. */
const talk = (host: string, port: number) => `
  const socket = require('node:net').connect({ host: '${host}', port: ${port}, family: 4, timeout: 10000 }, () => socket.end('hello'))
  socket.on('data', (data) => process.stdout.write(data)).on('timeout', () => process.exit(9))`

const resolve = (what: string) => `
  require('node:dns').promises.${what}.then((found) => console.log(JSON.stringify(found)), (error) => console.log(error.code))`

test("an instance's connections to Google's names reach the gateway with their source and port", async () => {
  const { ip } = JSON.parse(
    await run(`const e = require('node:os').networkInterfaces().eth0; console.log(JSON.stringify({ ip: e[0].address }))`),
  )
  expect(await run(talk('storage.googleapis.com', 443))).toBe(`DEVCLOUD1 ${ip} 443\nHELLO`)
  expect(await run(talk('secretmanager.googleapis.com', 80))).toBe(`DEVCLOUD1 ${ip} 80\nHELLO`)
  expect(await run(talk('app-123.run.app', 443))).toBe(`DEVCLOUD1 ${ip} 443\nHELLO`)
})

test('the metadata server answers at its own address and names, and knows who asks', async () => {
  for (const host of ['169.254.169.254', 'metadata.google.internal', 'metadata']) {
    const [, ip = ''] = (await run(talk(host, 80))).split(' ')
    const found = await engine.whoIs({ project, ip }, soon())
    expect([host, found?.container.id, found?.serviceAccount]).toEqual([host, container.id, 'me@p.iam'])
  }
  expect(await engine.whoIs({ project: 'another', ip: '10.0.0.1' }, soon())).toBeUndefined()
})

test("Google's names have one IPv4 address and no IPv6 address; other names are asked elsewhere", async () => {
  const forwarder = JSON.parse(await run(resolve(`resolve4('www.googleapis.com')`)))
  expect(forwarder).toHaveLength(1)
  for (const name of [
    'googleapis.com',
    'STORAGE.googleapis.com',
    'accounts.google.com',
    'storage.cloud.google.com',
    'web.localhost',
    'a.b.run.app',
  ])
    expect([name, JSON.parse(await run(resolve(`resolve4('${name}')`)))]).toEqual([name, forwarder])
  expect(await run(resolve(`resolve6('www.googleapis.com')`))).toBe('ENODATA')
  expect(await run(resolve(`resolve4('googleapis.com.example.invalid')`))).not.toContain(forwarder[0])
  expect(await run(resolve(`lookup('client')`))).toContain('ENOTFOUND')
})

test('DNS over TCP answers as over UDP', async () => {
  const query = (name: string) => {
    const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)])
    const message = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]
    return JSON.stringify([0, message.length, ...message])
  }
  const [forwarder] = JSON.parse(await run(resolve(`resolve4('www.googleapis.com')`)))
  const ask = (name: string) => `
    const socket = require('node:net').connect(53, '${forwarder}', () => socket.write(Buffer.from(${query(name)})))
    socket.once('data', (data) => { console.log(data.subarray(2).toString('hex')); socket.destroy() })`
  const answer = Buffer.from(await run(ask('pubsub.googleapis.com')), 'hex')
  expect([...answer.subarray(-4)].join('.')).toBe(forwarder)
  expect((await run(ask('somewhere.invalid'))).startsWith('1234')).toBe(true)
})

test('a connection made while the daemon restarts waits for the next daemon', async () => {
  await new Promise<void>((closed) => void gateway.close(() => closed()))
  const answer = run(talk('storage.googleapis.com', 443))
  await new Promise((over) => setTimeout(over, 1000))
  gateway = await listen()
  expect(await answer).toContain('HELLO')
})

test('the forwarder keeps its address when it is started anew, and opening the project again leaves it alone', async () => {
  const docker = new Docker()
  const find = async () => {
    const [info] = await docker.listContainers({ filters: { label: [`dev.devcloud.project=${project}`, 'dev.devcloud.role=forwarder'] } })
    return docker.getContainer(info?.Id ?? '').inspect()
  }
  const before = await find()
  expect(before.HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], RestartPolicy: { Name: 'unless-stopped' } })
  await engine.openProject(project, soon())
  await docker.getContainer(before.Id).restart({ t: 0 })
  await engine.openProject(project, soon())
  const after = await find()
  expect(after.Id).toBe(before.Id)
  expect(after.NetworkSettings.Networks).toMatchObject(
    Object.fromEntries(Object.entries(before.NetworkSettings.Networks).map(([name, { IPAddress }]) => [name, { IPAddress }])),
  )
  expect(await run(talk('169.254.169.254', 80))).toContain('HELLO')
})

test('a forwarder of an earlier version is replaced once, by however many open the project', async () => {
  const docker = new Docker()
  const name = `devcloud-${stateId(directory)}-${project}-forwarder`
  await docker.getContainer(name).remove({ force: true })
  const [image] = await docker.listImages({ filters: { reference: ['devcloud-test/node'] } })
  const earlier = await docker.createContainer({ name, Image: image?.Id ?? '', Cmd: ['node', '-e', 'setInterval(() => {}, 1000)'] })
  await earlier.start()
  const opened = await Promise.allSettled([1, 2, 3, 4].map(() => engine.openProject(project, soon())))
  expect(opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([])
  expect(await run(talk('169.254.169.254', 80))).toContain('HELLO')
})
