import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, givenCli, type Ran } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

const app = givenApp('bad-machine', server("'one'"))
const { directory } = app

/** The error that `--json` prints last. */
function errorOf({ stdout }: Ran): unknown {
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { readonly error?: unknown }).error
}

async function listening(at: net.ListenOptions): Promise<net.Server> {
  const server = net.createServer((socket) => socket.on('error', () => {}).resume()).listen(at)
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

test('F14: a port that is taken is named with its holder and a free one', async () => {
  await using cli = givenCli()
  await using holder = await listening({ port: 0, host: '127.0.0.1' })
  const { port } = holder.address() as AddressInfo
  const told = await cli.run(['up', '--engine', 'process', '--json'], { directory, env: { DEVCLOUD_PORT: String(port) } })
  expect(told.code).toBe(4)
  expect(errorOf(told)).toEqual({
    code: 'FAILED_PRECONDITION',
    fault: 'PORT_TAKEN',
    message: `Port ${port} of 127.0.0.1 is taken.`,
    evidence: [expect.stringMatching(process.platform === 'linux' ? `^held by .+ \\(pid ${process.pid}\\)$` : /^held by /)],
    next: expect.stringMatching(/^Stop what holds it, or: DEVCLOUD_PORT=\d+ devcloud up$/),
  })
})

test('Docker that is absent and Docker that hangs are told apart, and without --engine the application runs as a process', async () => {
  const hung = join(mkdtempSync(join(tmpdir(), 'hung-')), 'docker.sock')
  await using _server = await listening({ path: hung })
  for (const [socket, evidence] of [
    ['/nowhere/docker.sock', /no such socket/],
    [hung, /accepts, but does not answer within \d+ ms/],
  ] as const) {
    await using cli = givenCli()
    const env = { DOCKER_HOST: `unix://${socket}` }
    const told = await cli.run(['up', '--engine', 'docker', '--json'], { directory, env })
    expect(told.code).toBe(4)
    expect(errorOf(told)).toEqual({
      code: 'UNAVAILABLE',
      fault: 'DOCKER_UNREACHABLE',
      message: 'Docker is not running.',
      evidence: [expect.stringMatching(evidence)],
      next: expect.stringContaining('devcloud up --engine process'),
    })
    expect(await cli.run(['up'], { directory, env })).toMatchObject({ code: 0, stdout: expect.stringContaining('200') })
  }
})

test.runIf(canMount())(
  'F7, F9: a state disk that is read-only or full is named; what serves goes on, and a freed disk is enough',
  async () => {
    const disk = mkdtempSync(join(tmpdir(), 'disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'devcloud-test', disk])
    try {
      await using cli = givenCli()
      const env = { DEVCLOUD_STATE_DIR: join(disk, 'state') }
      const up = (...more: readonly string[]) => cli.run(['up', '--engine', 'process', ...more], { directory, env })
      const fill = () => execFileSync('sh', ['-c', `dd if=/dev/zero of=${disk}/fill bs=1k 2>/dev/null || true`])
      const free = () => execFileSync('rm', [`${disk}/fill`])

      execFileSync('mount', ['-o', 'remount,ro', disk])
      const readOnly = await up('--json')
      expect(readOnly.code).toBe(4)
      expect(errorOf(readOnly)).toMatchObject({
        fault: 'STATE_UNUSABLE',
        message: `The disk of ${disk}/state is read-only.`,
        evidence: [expect.stringContaining('EROFS')],
        next: expect.stringContaining('devcloud up'),
      })
      execFileSync('mount', ['-o', 'remount,rw', disk])

      const message = expect.stringContaining(`The disk of ${disk}/state is full: `)
      const full = { code: 'RESOURCE_EXHAUSTED', fault: 'DISK_FULL', message }
      fill()
      const atStart = await up('--json')
      expect(atStart.code).toBe(4)
      expect(errorOf(atStart)).toMatchObject({ ...full, next: expect.stringContaining('Free space there') })
      free()
      const first = await up()
      expect(first).toMatchObject({ code: 0 })

      fill()
      app.write('server.cjs', server("'two'"))
      const whileItRuns = await up('--json')
      expect(whileItRuns.code).toBe(4)
      expect(errorOf(whileItRuns)).toMatchObject(full)
      const url = /http:\S+/.exec(first.stdout)?.[0] ?? ''
      expect(await ask(url)).toMatchObject({ status: 200, body: 'one' })
      free()
      expect(await up()).toMatchObject({ code: 0 })
      expect(await ask(url)).toMatchObject({ status: 200, body: 'two' })
      await cli.run(['clean', '--all', '--yes'], { env })
      await cli.run(['daemon', 'stop'], { env })
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  },
)

/** Root in CI; elsewhere a user may not mount. */
function canMount(): boolean {
  return process.env['CI'] === 'true' || (process.platform === 'linux' && process.getuid?.() === 0)
}
