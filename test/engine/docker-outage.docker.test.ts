import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterEach, expect, test, vi } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { nextAddress, readSubnet } from '../../src/engine/docker/addresses.ts'
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { dockerEndpoints } from '../../src/engine/docker/docker-endpoints.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import type { ContainerEnd, Engine } from '../../src/engine/engine.ts'
import { givenWay } from './given-way.ts'

const soon = () => AbortSignal.timeout(60_000)
const docker = new Docker({ socketPath: '/var/run/docker.sock' })
const project = `outage-${process.pid}`

afterEach(() => {
  vi.unstubAllEnvs()
})

function open(stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-outage-'))) {
  return openDockerEngine({ stateDirectory, log: openLog(undefined), gateway: { socketPath: join(stateDirectory, 'gateway.sock') } })
}

test('a socket that is not there, refuses or hangs is DOCKER_UNREACHABLE, told with its reason', async () => {
  const hangs = await givenWay()
  vi.stubEnv('DOCKER_HOST', hangs.url)
  hangs.break(() => true)
  await expect(open()).rejects.toMatchObject({
    fault: 'DOCKER_UNREACHABLE',
    evidence: [expect.stringMatching(/^DOCKER_HOST unix:.*does not answer within/)],
    next: expect.stringContaining('devcloud up --engine process'),
  })
  await hangs.cut()
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock')
  await expect(open()).rejects.toMatchObject({ evidence: ['DOCKER_HOST unix:///nowhere/docker.sock: no such socket'] })
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1')
  await expect(open()).rejects.toMatchObject({ evidence: ['DOCKER_HOST tcp://127.0.0.1:1: refused: nothing listens there'] })
  vi.stubEnv('DOCKER_HOST', 'ssh://elsewhere')
  await expect(open()).rejects.toMatchObject({ evidence: [expect.stringContaining('not spoken here')] })
})

test('Docker is looked for at DOCKER_HOST alone, else at the current context and the usual sockets', () => {
  expect(dockerEndpoints({ DOCKER_HOST: 'tcp://a:2375', XDG_RUNTIME_DIR: '/run/user/1' }, '/home/me').map((place) => place.url)).toEqual([
    'tcp://a:2375',
  ])
  expect(dockerEndpoints({ XDG_RUNTIME_DIR: '/run/user/1' }, '/home/nobody').map((place) => place.name)).toEqual([
    '/var/run/docker.sock',
    '/run/user/1/docker.sock',
    '/home/nobody/.docker/run/docker.sock',
    '/run/user/1/podman/podman.sock',
    '/run/podman/podman.sock',
  ])
})

test('addresses are given in turn, and each has a link-local one that is never reserved', () => {
  const subnet = readSubnet('172.18.0.0/24')
  expect(nextAddress(subnet, 0, () => false)).toEqual({ number: 16, ip: '172.18.0.16', linkLocal: '169.254.1.16' })
  expect(nextAddress(subnet, 254, (ip) => ip === '172.18.0.16')).toMatchObject({ ip: '172.18.0.17' })
  expect(nextAddress(subnet, 16, () => true)).toBeUndefined()
  const big = readSubnet('172.19.0.0/16')
  expect(nextAddress(big, 299, () => false)).toEqual({ number: 300, ip: '172.19.1.44', linkLocal: '169.254.2.44' })
  expect(nextAddress(big, 40959, () => false)).toMatchObject({ linkLocal: '169.254.161.0' })
  expect(nextAddress(big, 40960, () => false)).toMatchObject({ number: 16 })
})

const program = `let n = 0; setInterval(() => console.log(n++), 20)`

/** An engine whose way to Docker is the test's, and how a container is started on it. */
async function givenEngine() {
  const way = await givenWay()
  vi.stubEnv('DOCKER_HOST', way.url)
  const engine = await open()
  vi.unstubAllEnvs()
  const image = await importNodeImage(docker, 'devcloud-test/node', {}, soon())
  const spec = { project, image, command: ['node', '-e', program], env: {}, mounts: [], labels: {}, serviceAccount: 'a@b.c', port: 8080 }
  return {
    way,
    engine,
    start: (name: string) => engine.start({ ...spec, name }, soon()),
    async [Symbol.asyncDispose]() {
      way.break(undefined)
      await engine.removeProject(project, soon())
      await way[Symbol.asyncDispose]()
    },
  }
}

test('what ended while Docker was away is told once it is back, and logs go on without a gap', async () => {
  await using given = await givenEngine()
  const { way, engine } = given
  expect(await engine.describe()).toContain(way.path)
  const dies = await given.start('dies')
  const stays = await given.start('stays')
  const ends: ContainerEnd[] = []
  const over = new AbortController()
  engine.events((end) => ends.push(end), over.signal)
  const numbers: number[] = []
  const reading = (async () => {
    for await (const line of stays.logs({ follow: true }, over.signal)) numbers.push(Number(line.text))
  })()
  await expect.poll(() => numbers.length).toBeGreaterThan(10)
  await way.cut()
  await expect(stays.inspect(soon())).rejects.toMatchObject({ fault: 'DOCKER_UNREACHABLE' })
  await docker.getContainer(dies.id).kill()
  const before = numbers.length
  await way.listen()
  await expect.poll(() => ends.map((end) => end.id), { timeout: 10_000 }).toEqual([dies.id])
  expect(ends[0]).toMatchObject({ name: 'dies', exitCode: 137 })
  await expect.poll(() => numbers.length, { timeout: 10_000 }).toBeGreaterThan(before + 50)
  expect(numbers).toEqual(numbers.map((_, index) => index))
  await dies.remove(soon())
  await stays.stop(0, soon())
  await expect.poll(() => ends.map((end) => end.id), { timeout: 10_000 }).toEqual([dies.id, stays.id])
  over.abort()
  await reading
})

test('an end that Docker tells and nobody can look at any more, because Docker goes away, is told', async () => {
  await using given = await givenEngine()
  const { way, engine } = given
  const dies = await given.start('dies')
  using following = follow(engine)
  await expect.poll(() => way.seen.filter((call) => call.includes('/events')).length).toBeGreaterThan(1)
  await expect.poll(() => way.seen.at(-1)).toContain('/containers/json') // what runs is known
  way.break((request, response) => {
    if (!request.url?.endsWith(`/${dies.id}/json`)) return false
    response.destroy()
    return true
  })
  await docker.getContainer(dies.id).kill()
  await expect.poll(() => following.ends, { timeout: 10_000 }).toMatchObject([{ id: dies.id, name: 'dies', exitCode: 137 }])
})

test('the end of a container whose start no event told, because Docker was on its way out, is told', async () => {
  await using given = await givenEngine()
  const { way, engine } = given
  way.break((request, response) => {
    if (!request.url?.includes('/events')) return false
    response.destroy()
    return true
  })
  using following = follow(engine)
  const dies = await given.start('dies')
  await docker.getContainer(dies.id).kill()
  way.break(undefined)
  await expect.poll(() => following.ends, { timeout: 10_000 }).toMatchObject([{ id: dies.id, name: 'dies', exitCode: 137 }])
})

test('after an outage no instance gets the address that another one had just before', async () => {
  await using given = await givenEngine()
  const first = await given.start('first')
  await docker.getContainer(first.id).kill()
  await given.engine.openProject(project, soon())
  const second = await given.start('second')
  expect(second.address).not.toEqual(first.address)
})

function follow(engine: Engine): Disposable & { readonly ends: readonly ContainerEnd[] } {
  const ends: ContainerEnd[] = []
  const over = new AbortController()
  engine.events((end) => ends.push(end), over.signal)
  return { ends, [Symbol.dispose]: () => over.abort() }
}
