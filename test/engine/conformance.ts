import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BuildSource, Container, ContainerEnd, ContainerSpec, Engine } from '../../src/engine/engine.ts'
import { waitUntilListening } from '../../src/products/run/instances/await-listening.ts'

const soon = () => AbortSignal.timeout(60_000)

/** Applications of a few lines, as a user's folder would hold them. */
const apps = {
  echo: `const http = require('node:http')
    process.on('SIGTERM', () => { console.log('bye'); process.exit(0) })
    http.createServer((request, response) => response.end(JSON.stringify({ PORT: process.env.PORT, GREETING: process.env.GREETING, FILE: process.env.FILE ? require('node:fs').readFileSync(process.env.FILE, 'utf8') : '' }))).listen(process.env.PORT)
    console.log('out'); console.error('err')`,
  stubborn: `process.on('SIGTERM', () => {}); require('node:http').createServer((q, r) => r.end()).listen(process.env.PORT)`,
  crash: `console.error('no SECRET_KEY'); process.exitCode = 3`,
  beside: `require('node:http').createServer((q, r) => r.end()).listen(4998)`,
  writer: `const { existsSync, writeFileSync } = require('node:fs'); const path = process.env.SHARED
    if (existsSync(path)) console.log('found ' + require('node:fs').readFileSync(path, 'utf8'))
    else { writeFileSync(path, 'first'); console.log('first') }
    setInterval(() => {}, 1000)`,
  deaf: `setInterval(() => {}, 1000)`,
  elsewhere: `require('node:http').createServer((q, r) => r.end()).listen(4999, '127.0.0.1')`,
}

/** What every engine must do. `open` gives an engine on a state directory; a second one on the same directory adopts. */
export function conformance(name: string, open: (directory: string) => Promise<Engine>): void {
  const project = `conformance-${process.pid}`
  const directory = mkdtempSync(join(tmpdir(), 'devcloud-engine-'))
  const images = new Map<string, Promise<string>>()
  let engine: Engine

  beforeAll(async () => {
    engine = await open(directory)
    await engine.openProject(project, soon())
  })
  afterAll(async () => {
    await engine.removeProject(project, soon())
    await engine[Symbol.asyncDispose]()
  })

  /** Built once. */
  function imageOf(app: keyof typeof apps): Promise<string> {
    const image = images.get(app) ?? engine.build(givenSource(project, app), () => {}, soon()).then((built) => built.image)
    images.set(app, image)
    return image
  }

  async function given(app: keyof typeof apps, spec: Partial<ContainerSpec> = {}) {
    const container = await engine.start(
      {
        name: `app-${crypto.randomUUID().slice(0, 8)}`,
        project,
        image: await imageOf(app),
        env: {},
        mounts: [],
        labels: { service: 'app' },
        port: 8080,
        serviceAccount: 'a@b.c',
        ...spec,
      },
      soon(),
    )
    return {
      container,
      async [Symbol.asyncDispose]() {
        await container.remove(soon())
      },
    }
  }

  test(`${name}: an application listens on PORT, with its environment and its files`, async () => {
    await using at = await given('echo', {
      env: { GREETING: 'hello', FILE: '/secrets/key/value' },
      mounts: [{ kind: 'files', target: '/secrets/key', files: [{ path: 'value', data: Buffer.from('s3cret'), mode: 0o444 }] }],
    })
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    const answer = (await (await fetch(urlOf(at.container))).json()) as Record<string, string>
    expect(answer).toMatchObject({ GREETING: 'hello', FILE: 's3cret' })
    expect((await at.container.inspect(soon())).listening.map((socket) => socket.port)).toContain(Number(answer['PORT']))
    expect(at.container.serviceAccount).toBe('a@b.c')
  })

  test(`${name}: both output streams are told with their time`, async () => {
    await using at = await given('echo')
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    const read = () => Array.fromAsync(at.container.logs({ follow: false }, soon()))
    const texts = async () => (await read()).map(({ stream, text }) => `${stream} ${text}`).toSorted()
    await expect.poll(texts, { timeout: 10_000 }).toEqual(['stderr err', 'stdout out'])
    const lines = await read()
    expect(Math.abs((lines[0]?.timeMs ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  test(`${name}: stop lets a handler of SIGTERM finish`, async () => {
    await using at = await given('echo')
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    await at.container.stop(10_000, soon())
    expect(await at.container.inspect(soon())).toMatchObject({ state: 'exited', exitCode: 0 })
    const lines = await Array.fromAsync(at.container.logs({ follow: false, tail: 3 }, soon()))
    expect(lines.filter((line) => line.stream === 'stdout').at(-1)?.text).toBe('bye')
  })

  test(`${name}: F28: stop kills what ignores SIGTERM after the grace`, async () => {
    await using at = await given('stubborn')
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    await at.container.stop(1000, soon())
    expect(await at.container.inspect(soon())).toMatchObject({ state: 'exited', exitCode: 137 })
  })

  test(`${name}: F29, run trap 8: a paused application is resumed before SIGTERM`, async () => {
    await using at = await given('echo')
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    await at.container.pause(soon())
    expect(at.container.state).toBe('paused')
    await at.container.stop(10_000, soon())
    expect(await at.container.inspect(soon())).toMatchObject({ exitCode: 0 })
  })

  test(`${name}: exec runs beside the application and gives its exit code`, async () => {
    await using at = await given('echo', { env: { GREETING: 'hello' } })
    const stdout = new PassThrough()
    const code = await at.container.exec(
      ['node', '-e', 'console.log(process.env.GREETING); process.exit(7)'],
      { stdout, stderr: new PassThrough() },
      soon(),
    )
    expect(code).toBe(7)
    expect(stdout.read()?.toString()).toBe('hello\n')
  })

  test(`${name}: an application that ends is told, and readiness says how`, async () => {
    await using at = await given('deaf')
    const ends: ContainerEnd[] = []
    const over = new AbortController()
    engine.events((end) => ends.push(end), over.signal)
    await new Promise((resolve) => setTimeout(resolve, 500))
    await at.container.exec(['node', '-e', ''], { stdout: new PassThrough(), stderr: new PassThrough() }, soon())
    await at.container.stop(0, soon())
    await expect.poll(() => ends.map((end) => end.id), { timeout: 10_000 }).toEqual([at.container.id])
    expect(ends[0]).toMatchObject({ project, labels: { service: 'app' }, exitCode: 137 })
    over.abort()
  })

  test(`${name}: a crash is APP_CRASHED with the exit code and the last lines`, async () => {
    await using at = await given('crash')
    const failure = waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    await expect(failure).rejects.toMatchObject({
      fault: 'APP_CRASHED',
      evidence: ['no SECRET_KEY'],
      message: expect.stringContaining('exited 3'),
    })
  })

  test(`${name}: F33, run trap 2: what listens elsewhere is NOT_LISTENING, and where it does listen is named`, async () => {
    await using at = await given('elsewhere')
    const failure = waitUntilListening(at.container, { port: 8080, timeoutMs: 1500 }, soon())
    await expect(failure).rejects.toMatchObject({
      fault: 'NOT_LISTENING',
      evidence: expect.arrayContaining(['it does listen on 127.0.0.1:4999']),
    })
  })

  test(`${name}: a container that joins another meets it on 127.0.0.1, and each has an address of its own port`, async () => {
    await using at = await given('echo', { localNames: ['other'], ports: [4998] })
    const image = await imageOf('beside')
    const second = await engine.start(
      {
        name: `beside-${crypto.randomUUID().slice(0, 8)}`,
        project,
        image,
        env: {},
        mounts: [],
        labels: { service: 'app' },
        serviceAccount: 'a@b.c',
        joins: at.container,
      },
      soon(),
    )
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    const beside = second.addressOf(4998)
    await expect
      .poll(
        () =>
          fetch(`http://${beside?.host}:${beside?.port}/`).then(
            (answer) => answer.status,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBe(200)
    const stdout = new PassThrough()
    const ask = `fetch('http://127.0.0.1:4998/').then((a) => console.log(a.status))`
    await at.container.exec(['node', '-e', ask], { stdout, stderr: new PassThrough() }, soon())
    expect(stdout.read()?.toString()).toBe('200\n')
    await second.remove(soon())
    expect(at.container.state).toBe('running')
    expect(second.addressOf(4998)).toBeUndefined()
  })

  test(`${name}: a folder in memory is shared by those that name it, and gone with the last of them`, async () => {
    const volume = `mem-${crypto.randomUUID().slice(0, 8)}`
    const mounts = [{ kind: 'memory' as const, volume, target: '/shared/mem', sizeBytes: 4 * 2 ** 20 }]
    const env = { SHARED: '/shared/mem/word' }
    await using at = await given('writer', { env, mounts })
    const image = await imageOf('writer')
    const spec = { project, image, env, mounts, labels: {}, serviceAccount: 'a@b.c' }
    await expect.poll(async () => (await Array.fromAsync(at.container.logs({ follow: false }, soon()))).at(-1)?.text).toBe('first')
    const second = await engine.start({ ...spec, name: `w2-${volume}`, joins: at.container }, soon())
    const last = async (container: Container) => (await Array.fromAsync(container.logs({ follow: false }, soon()))).at(-1)?.text
    await expect.poll(() => last(second), { timeout: 10_000 }).toBe('found first')
    await second.remove(soon())
    await at.container.remove(soon())
    const third = await engine.start({ ...spec, name: `w3-${volume}` }, soon())
    await expect.poll(() => last(third), { timeout: 10_000 }).toBe('first')
  })

  test(`${name}: files of a mount are replaced while it runs, those that are not named any more are removed`, async () => {
    const file = (path: string, text: string) => ({ path, data: Buffer.from(text), mode: 0o444 })
    await using at = await given('echo', {
      env: { FILE: '/secrets/key/a/value', GREETING: '/secrets/key' },
      mounts: [{ kind: 'files', target: '/secrets/key', files: [file('a/value', 'old'), file('gone/b', 'x')] }],
    })
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    const read = async () => ((await (await fetch(urlOf(at.container))).json()) as Record<string, string>)['FILE']
    expect(await read()).toBe('old')
    await at.container.replaceFiles('/secrets/key', [file('a/value', 'new'), file('c', 'y')])
    expect(await read()).toBe('new')
    const stdout = new PassThrough()
    const list = `console.log(require('fs').readdirSync(process.env.GREETING).join())`
    await at.container.exec(['node', '-e', list], { stdout, stderr: new PassThrough() }, soon())
    expect(stdout.read()?.toString()).toBe('a,c\n')
    await expect(at.container.replaceFiles('/secrets/key', [file('../x', 'z')])).rejects.toThrow('leaves its mount')
  })

  test(`${name}: CPUs are changed while it runs, or it is said that they cannot be`, async () => {
    await using at = await given('deaf', { cpus: 1 })
    expect(await at.container.setCpus(2, soon())).toBe(engine.kind === 'docker' && !(await engine.describe()).startsWith('Podman'))
    expect((await at.container.inspect(soon())).state).toBe('running')
  })

  test(`${name}: a second engine on the same directory adopts what runs, with its labels`, async () => {
    await using at = await given('echo')
    await waitUntilListening(at.container, { port: 8080, timeoutMs: 20_000 }, soon())
    await using second = await open(directory)
    const adopted = (await second.list(soon())).find((container) => container.id === at.container.id)
    expect(adopted).toMatchObject({ state: 'running', labels: { service: 'app' }, address: at.container.address })
    expect((await fetch(urlOf(adopted ?? at.container))).status).toBe(200)
    await adopted?.stop(10_000, soon())
    expect(await at.container.inspect(soon())).toMatchObject({ state: 'exited', exitCode: 0 })
  })
}

function givenSource(project: string, app: keyof typeof apps): BuildSource {
  const directory = mkdtempSync(join(tmpdir(), 'devcloud-app-'))
  writeFileSync(join(directory, 'app.cjs'), apps[app])
  writeFileSync(join(directory, 'Dockerfile'), 'FROM node:24-slim\nWORKDIR /app\nCOPY app.cjs .\nCMD ["node", "app.cjs"]\n')
  return { project, name: app, directory, dockerfile: 'Dockerfile', command: ['node', 'app.cjs'] }
}

function urlOf(container: Container): string {
  return `http://${container.address?.host}:${container.address?.port}/`
}
