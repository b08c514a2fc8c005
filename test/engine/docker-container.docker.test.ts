import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import Docker from 'dockerode'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { openDockerEngine, type DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import type { ContainerEnd, ContainerSpec, ExecStreams } from '../../src/engine/engine.ts'
import { waitUntilListening } from '../../src/products/run/instances/await-listening.ts'

const soon = () => AbortSignal.timeout(60_000)
const project = `container-${process.pid}`
const docker = new Docker()
const engines: DockerEngine[] = []
let image: string

beforeAll(async () => {
  image = await importNodeImage(docker, 'devcloud-test/node', {}, soon())
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.removeProject(project, soon())
})

async function givenEngine(): Promise<DockerEngine> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-container-'))
  const engine = await openDockerEngine({
    stateDirectory,
    log: openLog(undefined),
    gateway: { socketPath: join(stateDirectory, 'gateway.sock') },
  })
  engines.push(engine)
  return engine
}

async function given(program: string, spec: Partial<ContainerSpec> = {}) {
  const engine = await givenEngine()
  return { engine, container: await engine.start(specOf(program, spec), soon()) }
}

function specOf(program: string, spec: Partial<ContainerSpec> = {}): ContainerSpec {
  const name = `app-${crypto.randomUUID().slice(0, 8)}`
  return {
    name,
    project,
    image,
    command: ['node', '-e', program],
    env: {},
    mounts: [],
    labels: { service: 'app' },
    serviceAccount: 'me@p.iam',
    ...spec,
  }
}

const idle = 'setInterval(() => {}, 1000)'

async function exec(container: { exec: (command: string[], io: ExecStreams, signal: AbortSignal) => Promise<number> }, program: string) {
  const stdout = new PassThrough()
  await container.exec(['node', '-e', program], { stdout, stderr: new PassThrough() }, soon())
  return (stdout.read()?.toString() ?? '').trim()
}

test('secret files are read inside, and are nowhere in what Docker tells; they go with the container', async () => {
  const data = Buffer.from('canary-s3cret')
  const { container } = await given(idle, {
    mounts: [{ kind: 'files', target: '/secrets/key', files: [{ path: 'versions/1', data, mode: 0o444 }] }],
  })
  expect(await exec(container, `console.log(require('fs').readFileSync('/secrets/key/versions/1', 'utf8'))`)).toBe('canary-s3cret')
  const told = await docker.getContainer(container.id).inspect()
  expect(JSON.stringify(told)).not.toContain('canary')
  const source = told.Mounts[0]?.Source ?? ''
  expect(readdirSync(source)).toEqual(['versions'])
  await container.remove(soon())
  expect(() => readdirSync(source)).toThrow('ENOENT')
})

test('F45: lines longer than 256 KiB come in pieces, shorter ones whole', async () => {
  const { container } = await given(`
    console.log('é'.repeat(100000)); console.log('x'.repeat(600000)); console.error('end'); console.log('')`)
  await expect.poll(async () => (await container.inspect(soon())).state).toBe('exited')
  const lines = await Array.fromAsync(container.logs({ follow: true }, soon()))
  expect(lines.filter((line) => line.stream === 'stdout').map((line) => line.text.length)).toEqual([100000, 262144, 262144, 75712, 0])
  expect(lines.find((line) => line.stream === 'stderr')?.text).toBe('end')
  const after = await Array.fromAsync(container.logs({ follow: false, sinceMs: Date.now() + 60_000 }, soon()))
  expect(after).toEqual([])
})

test('logs that are followed end with the container, or with their signal', async () => {
  const { container } = await given(`let n = 0; setInterval(() => console.log(n++), 20)`)
  const over = new AbortController()
  const texts: string[] = []
  for await (const line of container.logs({ follow: true }, over.signal)) {
    texts.push(line.text)
    if (texts.length === 5) over.abort()
  }
  expect(texts).toEqual(['0', '1', '2', '3', '4'])
  const rest = Array.fromAsync(container.logs({ follow: true, tail: 1 }, soon()))
  await container.stop(0, soon())
  expect((await rest).length).toBeGreaterThan(0)
})

test('F27: what uses more than its memory is told as killed for that', async () => {
  const engine = await givenEngine()
  const ends: ContainerEnd[] = []
  const over = new AbortController()
  engine.events((end) => ends.push(end), over.signal)
  const grow = `const all = []; setInterval(() => all.push(Buffer.alloc(2 ** 23, 1)), 10)`
  const container = await engine.start(specOf(grow, { memoryBytes: 96 * 2 ** 20, cpus: 64 }), soon())
  await expect.poll(() => ends.map((end) => end.id), { timeout: 20_000 }).toEqual([container.id])
  over.abort()
  expect(ends[0]).toMatchObject({ oomKilled: true, labels: { service: 'app' }, project })
  expect(await container.inspect(soon())).toMatchObject({ state: 'exited', oomKilled: true })
  await expect(waitUntilListening(container, { port: 8080, timeoutMs: 1000 }, soon())).rejects.toThrow('more than its memory limit')
})

test('a container that is removed on purpose is no news', async () => {
  const { engine, container } = await given(idle)
  const other = await engine.start(specOf(idle), soon())
  const ends: ContainerEnd[] = []
  const over = new AbortController()
  engine.events((end) => ends.push(end), over.signal)
  await new Promise((resolve) => setTimeout(resolve, 300))
  await container.remove(soon())
  await container.remove(soon())
  await other.stop(0, soon())
  await expect.poll(() => ends.map((end) => end.id), { timeout: 10_000 }).toEqual([other.id])
  over.abort()
  expect(await engine.list(soon())).toMatchObject([{ id: other.id, state: 'exited' }])
})

test("two state directories do not see, or remove, each other's containers", async () => {
  const { container } = await given(idle)
  const other = await givenEngine()
  expect(await other.list(soon())).toEqual([])
  await other.removeProject(project, soon())
  expect((await container.inspect(soon())).state).toBe('running')
})

test('S37, F44: instances have dropped what an attacker wants, can still become another user, and their logs rotate', async () => {
  const { container } = await given(idle)
  const status = await exec(container, `console.log(require('fs').readFileSync('/proc/self/status', 'utf8'))`)
  expect(status).toMatch(/NoNewPrivs:\s*1/)
  expect(status).toMatch(/CapBnd:\s*00000000000004eb/) // CHOWN DAC_OVERRIDE FOWNER KILL SETGID SETUID NET_BIND_SERVICE
  expect(await exec(container, `process.setgid(1000); process.setuid(1000); console.log(process.getuid())`)).toBe('1000')
  expect((await docker.getContainer(container.id).inspect()).HostConfig).toMatchObject({
    PidsLimit: 1024,
    Init: false,
    Privileged: false,
    NetworkMode: expect.not.stringMatching(/^host$/),
    LogConfig: { Type: 'json-file', Config: { 'max-size': '20m', 'max-file': '2' } },
  })
})

test("S7: Docker's own socket is never mounted", async () => {
  for (const source of ['/var/run/docker.sock', '/run', '/']) {
    await expect(given(idle, { mounts: [{ kind: 'bind', source, target: '/x' }] })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  }
})

test('a database is reached by this host, has no way out, and keeps its volume when it is removed', async () => {
  const serve = `require('node:fs').appendFileSync('/data/log', 'x'); require('node:http').createServer((q, r) => r.end(require('node:fs').readFileSync('/data/log'))).listen(5432)`
  const spec: Partial<ContainerSpec> = { role: 'database', port: 5432, mounts: [{ kind: 'volume', volume: 'data', target: '/data' }] }
  const { engine, container } = await given(serve, spec)
  const answer = async (of: typeof container) => {
    await waitUntilListening(of, { port: 5432, timeoutMs: 20_000 }, soon())
    return await (await fetch(`http://${of.address?.host}:${of.address?.port}/`)).text()
  }
  expect(await answer(container)).toBe('x')
  const told = await docker.getContainer(container.id).inspect()
  expect(told.NetworkSettings.Ports).toEqual({})
  const network = docker.getNetwork(told.HostConfig.NetworkMode ?? '')
  expect(await network.inspect()).toMatchObject({ Internal: true, Options: {} })
  const client = await engine.start(specOf(idle), soon())
  const dial = `require('node:net').connect({ host: '${container.address?.host}', port: 5432, timeout: 1500 }).on('connect', () => { console.log('in'); process.exit() }).on('timeout', () => process.exit()).on('error', () => {})`
  expect(await exec(client, dial)).toBe('')
  await container.remove(soon())
  expect(await answer(await engine.start(specOf(serve, spec), soon()))).toBe('xx')
})

test('an image that is nowhere is IMAGE_UNKNOWN, a command that is not in it APP_CRASHED, and nothing is left of either', async () => {
  const engine = await givenEngine()
  for (const unknown of ['devcloud.invalid/no/such:1', `sha256:${'0'.repeat(64)}`])
    await expect(engine.start(specOf(idle, { image: unknown }), soon())).rejects.toMatchObject({ fault: 'IMAGE_UNKNOWN' })
  const start = engine.start(specOf(idle, { command: ['no-such-command'] }), soon())
  await expect(start).rejects.toMatchObject({ fault: 'APP_CRASHED', message: expect.stringContaining('no-such-command') })
  expect(await engine.list(soon())).toEqual([])
})

test('exec takes input, a terminal, an environment, and ends with its signal', async () => {
  const { container } = await given(idle)
  const stdout = new PassThrough()
  const stdin = new PassThrough()
  stdin.end('from outside')
  const cat = `process.stdin.on('data', (d) => process.stdout.write(process.env.A + d)).on('end', () => process.exit(4))`
  const code = await container.exec(['node', '-e', cat], { stdin, stdout, stderr: new PassThrough(), env: { A: 'b ' } }, soon())
  expect([code, stdout.read()?.toString()]).toEqual([4, 'b from outside'])
  const terminal = new PassThrough()
  await container.exec(
    ['node', '-e', 'console.log(process.stdout.isTTY)'],
    { stdout: terminal, stderr: new PassThrough(), tty: true },
    soon(),
  )
  expect(terminal.read()?.toString()).toContain('true')
  const missing = await container.exec(['no-such-command'], { stdout: new PassThrough(), stderr: new PassThrough() }, soon())
  expect([126, 127]).toContain(missing)
  const over = new AbortController()
  const running = container.exec(['node', '-e', idle], { stdout: new PassThrough(), stderr: new PassThrough() }, over.signal)
  setTimeout(() => over.abort(new Error('enough')), 500)
  await expect(running).rejects.toThrow('enough')
})

test('pausing and resuming twice is fine, and so is stopping what ended', async () => {
  const { container } = await given(idle)
  await container.pause(soon())
  await container.pause(soon())
  expect((await container.inspect(soon())).state).toBe('paused')
  await container.resume(soon())
  await container.resume(soon())
  expect(container.state).toBe('running')
  await container.stop(0, soon())
  await container.stop(0, soon())
  await container.remove(soon())
  await container.stop(0, soon())
  expect([container.state, container.address]).toEqual(['exited', undefined])
})
