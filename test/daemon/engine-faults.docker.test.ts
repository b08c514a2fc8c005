import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openProject } from '../../src/daemon/adopt.ts'
import { allProjects, cleanProjects } from '../../src/daemon/clean.ts'
import { openDaemon, type Daemon } from '../../src/daemon/daemon.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import { ask } from '../cli/given-cli.ts'
import { givenDockerd, type GivenDockerd } from '../engine/given-dockerd.ts'
import { givenWay, type GivenWay } from '../engine/given-way.ts'
import { eventually } from '../products/run/given-run.ts'

const project = 'engine-faults'
const parent = `projects/${project}/locations/us-central1`
const program = `
process.on('SIGTERM', () => process.exit())
const id = crypto.randomUUID()
require('node:http').createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://a')
  const ms = Number(searchParams.get('ms'))
  if (searchParams.has('exit')) process.exit(Number(searchParams.get('exit')))
  setTimeout(() => response.end(id), ms)
}).listen(process.env.PORT)`

/** A dockerd of its own needs root, which CI is. */
const isRoot = process.env['CI'] === 'true' || process.getuid?.() === 0

describe.runIf(isRoot)('an engine of its own', () => {
  let dockerd: GivenDockerd
  let daemon: Daemon
  let image: string
  let way: GivenWay
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-faults-'))

  beforeAll(async () => {
    dockerd = await givenDockerd({ sizeMb: 900 })
    way = await givenWay(dockerd.url.slice('unix://'.length))
    vi.stubEnv('DOCKER_HOST', way.url)
    image = await importNodeImage(dockerd.docker, 'devcloud-test/node', {}, AbortSignal.timeout(60_000))
    daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
    const { projects, engines } = daemon.house.foundation
    await projects.put({ ...projects.get(project), engine: 'docker' })
    await openProject(daemon.house, await engines.choose('docker'), project, AbortSignal.timeout(60_000))
  }, 180_000)
  afterAll(async () => {
    await cleanProjects(daemon.house, allProjects(daemon.house), () => {}).catch(() => {})
    await daemon[Symbol.asyncDispose]()
    await way[Symbol.asyncDispose]()
    await dockerd[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
    rmSync(stateDirectory, { recursive: true, force: true })
  }, 180_000)

  async function deploy(id: string, template: object = {}, container: object = {}): Promise<void> {
    const { api } = daemon.house
    const url = `https://run.googleapis.com/v2/${parent}/services`
    const containers = [{ image, command: ['node', '-e', program], resources: { cpuIdle: false }, ...container }]
    const body = { template: { containers, ...template } }
    const found = await api.find(`${url}/${id}`)
    let operation =
      found === undefined ? await api.call('POST', `${url}?serviceId=${id}`, body) : await api.call('PATCH', `${url}/${id}`, body)
    await api.call('POST', `${url}/${id}:setIamPolicy`, { policy: { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] } })
    while (operation['done'] !== true)
      operation = await api.call('POST', `https://run.googleapis.com/v2/${String(operation['name'])}:wait`, { timeout: '10s' })
    if (operation['error'] !== undefined) throw new Error(JSON.stringify(operation['error']))
  }

  const call = (id: string, path = '/') => ask(`http://${id}.localhost:${daemon.house.foundation.router.port}${path}`)
  const ready = (id: string) => eventually(`${id} serves`, async () => (await call(id)).status === 200 || undefined, 60_000)

  test('F24: an engine that answers 500, 409 and garbage is asked again, at a measured pace, and what was wanted comes about', async () => {
    await deploy('steady', { scaling: { minInstanceCount: 1 } })
    for (const answer of [
      (response: http.ServerResponse) =>
        void response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"a fault of a test"}'),
      (response: http.ServerResponse) =>
        void response.writeHead(409, { 'content-type': 'application/json' }).end('{"message":"conflict: a fault of a test"}'),
      (response: http.ServerResponse) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>\0 no JSON'),
      (response: http.ServerResponse) => void response.destroy(),
    ]) {
      const [container] = await dockerd.docker.listContainers({ filters: { label: ['dev.devcloud.label.service=steady'] } })
      way.break((request, response) => {
        if (!/\/containers\/create|\/start$/.test(request.url ?? '')) return false
        answer(response)
        return true
      })
      const before = way.seen.length
      await dockerd.docker.getContainer(container?.Id ?? '').kill()
      await sleep(2000)
      expect(way.seen.length - before).toBeLessThan(100)
      way.break(undefined)
      await ready('steady')
    }
  }, 180_000)

  test('an instance that ends while the engine tells nothing is replaced, and how it ended is told once', async () => {
    await deploy('fragile')
    const lines = () => daemon.house.foundation.containerLog.tail({ project, owner: 'fragile' }, 100).map(({ text }) => text)
    await way.cut()
    way.break((request, response) => {
      if (request.url?.includes('/events?') !== true) return false
      response.destroy()
      return true
    })
    await way.listen()
    const { body: before } = await call('fragile')
    expect((await call('fragile', '/?exit=3')).status).toBe(503)
    await ready('fragile')
    expect((await call('fragile')).body).not.toBe(before)
    way.break(undefined)
    await eventually('how it ended is told', () => lines().some((text) => text.includes('exit(3)')))
    await sleep(1500) // the events are there again, and what ended before them
    expect(lines().filter((text) => text.includes('exit(3)'))).toHaveLength(1)
  }, 180_000)

  test('F21: requests to running instances go on while the engine is dead, in flight and new ones', async () => {
    await deploy('lasts', { scaling: { minInstanceCount: 1 } })
    const { body: id } = await call('lasts')
    const inFlight = call('lasts', '/?ms=3000')
    await sleep(200)
    await dockerd.signal('SIGKILL')
    for (let n = 0; n < 20; n += 1) expect(await call('lasts')).toMatchObject({ status: 200, body: id })
    expect(await inFlight).toMatchObject({ status: 200, body: id })

    // F22: it starts without live-restore: what ran has ended, and runs again
    await dockerd.start()
    await ready('lasts')
  }, 180_000)

  test('F22: an engine that restarts ends the instances; requests wait for new ones, and minimum instances are there again', async () => {
    await deploy('returns', { scaling: { minInstanceCount: 1 } })
    const { body: before } = await call('returns')
    await dockerd.signal('SIGTERM')
    const waiting = call('returns')
    await dockerd.start()
    const first = await waiting
    expect([200, 503]).toContain(first.status)
    await ready('returns')
    expect((await call('returns')).body).not.toBe(before)
    await eventually('its minimum runs', async () => {
      const running = await dockerd.docker.listContainers({ filters: { label: ['dev.devcloud.label.service=returns'] } })
      return running.length >= 1
    })
  }, 180_000)

  test('F25: an engine whose disk is full fails the build and says so; the old revision serves, and a freed disk is enough', async () => {
    await deploy('kept', { scaling: { minInstanceCount: 1 } })
    const engine = await daemon.house.foundation.engines.choose('docker')
    const directory = mkdtempSync(join(tmpdir(), 'dc-full-'))
    const build = (line: string) => {
      writeFileSync(join(directory, 'Dockerfile'), `FROM ${image}\nCOPY fill.cjs /\n${line}\n`)
      return engine.build({ project, name: 'kept', directory, dockerfile: 'Dockerfile' }, () => {}, AbortSignal.timeout(120_000))
    }
    writeFileSync(
      join(directory, 'fill.cjs'),
      "const fs = require('fs'); const f = fs.openSync('/fill', 'w'); for (;;) fs.writeSync(f, Buffer.alloc(1 << 20, 1))",
    )
    await expect(build('RUN ["node", "/fill.cjs"]')).rejects.toMatchObject({
      fault: 'BUILD_FAILED',
      evidence: expect.arrayContaining([expect.stringMatching(/ENOSPC|no space left/i)]),
    })
    expect(await call('kept')).toMatchObject({ status: 200 })
    const { image: small } = await build('ENV SMALL=yes')
    await deploy('kept', {}, { image: small })
    expect(await call('kept')).toMatchObject({ status: 200 })
  }, 180_000)

  test('F23: while the engine hangs running instances serve, it is told as hung and not as absent, and afterwards all goes on', async () => {
    await deploy('serves', { scaling: { minInstanceCount: 1 } })
    const { body: id } = await call('serves')
    await dockerd.signal('SIGSTOP')
    try {
      for (let n = 0; n < 20; n += 1) expect(await call('serves')).toMatchObject({ status: 200, body: id })
      const { connectDocker } = await import('../../src/engine/docker/connect.ts')
      await expect(connectDocker()).rejects.toMatchObject({ evidence: [expect.stringContaining('accepts, but does not answer')] })
    } finally {
      await dockerd.signal('SIGCONT')
    }
    await deploy('serves', {}, { env: [{ name: 'NEW', value: 'yes' }] })
    await ready('serves')
    expect((await call('serves')).body).not.toBe(id)
  }, 180_000)
})
