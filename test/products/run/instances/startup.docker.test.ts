import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

/** What Docker tells of the running containers of a service, the ingress container first. */
async function inspect(run: GivenRun, service: string) {
  const engine = await run.house.foundation.engines.choose('docker')
  const containers = (await engine.list(AbortSignal.timeout(10_000))).filter(
    ({ labels, state }) => labels['service'] === service && state !== 'exited',
  )
  return Promise.all(containers.map(({ id }) => new Docker().getContainer(id).inspect()))
}

const conditionOf = async (run: GivenRun, service: string) => {
  const told = await run.call('GET', `${run.parent}/services/${service}`)
  return told['terminalCondition'] as { readonly state: string; readonly revisionReason?: string; readonly message: string }
}

/** In one house, side by side: each has services of its own. */
describe.concurrent('the start of instances', () => {
  let run: GivenRun
  beforeAll(async () => void (run = await givenRun()))
  afterAll(async () => await run[Symbol.asyncDispose]())

  test('run trap 2: what listens on 127.0.0.1 alone fails the deployment by name (F33), and the old revision goes on', async () => {
    await run.deploy('inside')
    const before = await run.ask('inside', '/id')
    await expect(run.deploy('inside', { env: { BIND: '127.0.0.1' } })).rejects.toMatchObject({
      message: expect.stringContaining('failed to start and listen on the port defined provided by the PORT=8080 environment variable'),
      fault: 'NOT_LISTENING',
      evidence: expect.arrayContaining([expect.stringContaining('127.0.0.1:8080')]),
    })
    expect(await conditionOf(run, 'inside')).toMatchObject({ state: 'CONDITION_FAILED', revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' })
    expect(await run.ask('inside', '/id')).toMatchObject({ status: 200, body: before.body })
  })

  test('run trap 2: what listens on another port is named with it (F33)', async () => {
    const program = `process.on('SIGTERM', () => process.exit()); require('node:http').createServer(() => {}).listen(9999)`
    const startupProbe = { tcpSocket: {}, periodSeconds: 1, failureThreshold: 3 }
    const failed = run.deploy('elsewhere', { container: { command: ['node', '-e', program], startupProbe } })
    await expect(failed).rejects.toMatchObject({
      message: expect.stringMatching(/failed the configured startup probe checks.*STARTUP TCP probe failed 3 times consecutively/s),
      evidence: expect.arrayContaining([expect.stringMatching(/it does listen on \S*:9999/)]),
    })
  })

  test('run trap 42: an application that listens late is fine; an HTTP probe keeps requests away until it succeeds', async () => {
    await run.deploy('late', { env: { BOOT_MS: '8000' } })
    expect((await run.ask('late', '/id')).status).toBe(200)
    const program = `process.on('SIGTERM', () => process.exit()); const t = Date.now(); require('node:http').createServer((q, r) => { const isUp = Date.now() - t > 3000; if (q.url !== '/up' && !isUp) console.log('too early'); r.writeHead(isUp ? 204 : 503, { 'x-probe': q.headers['x-mine'] ?? '' }).end() }).listen(8080)`
    const startupProbe = { httpGet: { path: '/up', httpHeaders: [{ name: 'x-mine', value: 'a' }] }, periodSeconds: 1, failureThreshold: 60 }
    using lines = run.follow('http')
    await run.deploy('http', { container: { command: ['node', '-e', program], startupProbe } })
    expect((await run.ask('http', '/')).status).toBe(204)
    expect(lines.text()).not.toContain('too early')
  })

  test('a gRPC probe asks grpc.health.v1', async () => {
    const program = (service: string) => `
      process.on('SIGTERM', () => process.exit())
      const http2 = require('node:http2').createServer()
      http2.on('stream', (stream, headers) => {
        const chunks = []
        stream.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
          const asked = Buffer.concat(chunks).subarray(7).toString()
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
          stream.end(Buffer.from([0, 0, 0, 0, 2, 8, headers[':path'] === '/grpc.health.v1.Health/Check' && asked === '${service}' ? 1 : 2]))
        })
      })
      http2.listen(8080)`
    const deploy = (id: string, service: string) =>
      run.deploy(id, {
        container: {
          command: ['node', '-e', program('shop.Orders')],
          ports: [{ name: 'h2c', containerPort: 8080 }],
          startupProbe: { grpc: { service }, periodSeconds: 1, failureThreshold: 3 },
        },
      })
    await deploy('good', 'shop.Orders')
    await expect(deploy('bad', 'other')).rejects.toMatchObject({ evidence: expect.arrayContaining(['grpc probe: answered NOT_SERVING']) })
  })

  test('run trap 53: an unknown user is root, the image USER holds, and nothing becomes root again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dc-user-'))
    const build = (name: string, lines: string) => {
      writeFileSync(join(directory, 'Dockerfile'), `FROM ${run.image}\n${lines}\n`)
      const tag = `devcloud-test/${name}:1`
      execFileSync('docker', ['build', '-q', '-t', tag, directory], { env: { ...process.env, DOCKER_BUILDKIT: '0' } })
      return tag
    }
    const shell = async (service: string, line: string) => (await run.ask(service, `/shell?line=${encodeURIComponent(line)}`)).body
    await run.deploy('unknown', { container: { image: build('unknown', 'USER nobody-of-this-name') } })
    expect(await shell('unknown', 'id -u')).toBe('0 0\n')
    const setuid = 'RUN cp /usr/bin/id /usr/local/bin/rootid && chmod 4755 /usr/local/bin/rootid\nUSER 1000:1000'
    await run.deploy('own', {
      container: { image: build('own', setuid), workingDir: '/usr', args: ['/app.mjs', 'more'], command: ['node'] },
    })
    expect(await shell('own', 'id -u; rootid -u; pwd; ulimit -n')).toMatch(/^0 1000\n1000\n\/usr\n(25000|\d{4,5})\n$/)
    expect(await shell('own', 'mount -t tmpfs none /mnt')).not.toMatch(/^0 /)
  })

  test('a failing liveness probe shuts the instance down, with the line of the log; the next request gets another', async () => {
    const probe = { httpGet: { path: '/live' }, periodSeconds: 1, failureThreshold: 2 }
    using lines = run.follow('dies')
    await run.deploy('dies', { container: { livenessProbe: probe, resources: { cpuIdle: false } } })
    const before = await run.ask('dies', '/id')
    await run.ask('dies', '/live?set=false')
    await eventually('another instance', async () => {
      const now = await run.ask('dies', '/id')
      return now.status === 200 && now.body !== before.body
    })
    await eventually('the line', () =>
      /LIVENESS HTTP probe failed 2 times consecutively for container ".+" on port 8080\. The instance has been shut down\./.test(
        lines.text(),
      ),
    )
  })

  test('an instance whose readiness probe fails gets no new requests and lives on; after two successes it serves again', async () => {
    const readinessProbe = { httpGet: { path: '/ready' }, periodSeconds: 1, failureThreshold: 2 }
    using lines = run.follow('rests')
    await run.deploy('rests', {
      container: { readinessProbe, resources: { cpuIdle: true } },
      template: { scaling: { maxInstanceCount: 2 }, maxInstanceRequestConcurrency: 4 },
    })
    const first = await run.ask('rests', '/id')
    const slow = run.ask('rests', '/sleep?ms=9000')
    await run.ask('rests', '/ready?set=false')
    const other = await eventually('another instance serves', async () => {
      const now = await run.ask('rests', '/id')
      return now.status === 200 && now.body !== first.body && now
    })
    expect(other.body).not.toBe(first.body)
    expect(await slow).toMatchObject({ status: 200, body: first.body })
    expect(lines.text()).toMatch(/READINESS HTTP probe failed 2 times consecutively/)
    const told = await inspect(run, 'rests')
    expect(told).toHaveLength(2)

    const engine = await run.house.foundation.engines.choose('docker')
    const say = `fetch('http://127.0.0.1:8080/ready?set=true')`
    for (const container of await engine.list(AbortSignal.timeout(10_000))) {
      if (container.labels['service'] !== 'rests') continue
      await container.resume(AbortSignal.timeout(10_000))
      await container.exec(['node', '-e', say], { stdout: new PassThrough(), stderr: new PassThrough() }, AbortSignal.timeout(20_000))
    }
    await eventually('the line', () => lines.text().includes('The instance takes requests again.'))
    await eventually('the first one serves again', async () => {
      const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => run.ask('rests', '/sleep?ms=300')))
      return answers.some(({ body }) => body === first.body)
    })
  })
})

test('startup boost doubles the CPU until ten seconds after the start, and a daemon that takes over ends it', async () => {
  await using run = await givenRun()
  const hostCpus = (await new Docker().info()).NCPU as number
  await run.deploy('boost', { container: { resources: { limits: { cpu: '1' }, startupCpuBoost: true } } })
  expect((await inspect(run, 'boost')).map(({ HostConfig }) => HostConfig.NanoCpus)).toEqual([Math.min(2, hostCpus) * 1e9])
  await run.restart()
  await eventually('the boost is over', async () => (await inspect(run, 'boost')).every(({ HostConfig }) => HostConfig.NanoCpus === 1e9))
  expect((await run.ask('boost', '/id')).status).toBe(200)
})
