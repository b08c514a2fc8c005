import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { expectKept, runWorkload } from './given-workload.ts'
import { freshDirectory } from './given-state.ts'

/** The Nth call fails once; one that were tried again would succeed. */
const failAt = (call: string, when: number) => ['-o', '/dev/null', '-e', `inject=${call}:error=EIO:when=${when}`]

test.each([
  ['fdatasync', [1, 4]],
  ['fsync', [14, 25]],
  ['pwrite64', [60, 100]],
] as const)(
  'F6: a %s that gives EIO is never acknowledged and never tried again: nothing more is written, and what was stays',
  async (call, times) => {
    for (const when of times) {
      const directory = freshDirectory()
      const { lines, stderr } = runWorkload(directory, { strace: failAt(call, when), lanes: 2 })
      const first = lines.findIndex((line) => line.startsWith('failed '))
      expect(first, `${call} ${when}: ${stderr}`).toBeGreaterThan(-1)
      // what the other lane had under way on a part of the disk that works may still be done, and is then kept
      expect(lines.slice(first).filter((line) => line.startsWith('done ')).length).toBeLessThan(2)
      expect(lines[first]).toMatch(/^failed \S+ DISK_FAILED The disk of .* gave an error: /)
      await expectKept(directory, lines)
    }
  },
)

test('F6: after EIO the daemon refuses every write in one way that ends the call, reads on, and its log tells why', async () => {
  await using cli = givenCli()
  const main = fileURLToPath(new URL('../../src/daemon/main.ts', import.meta.url))
  const strace = ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=2']
  const daemon = spawn('strace', [...strace, process.execPath, '--disable-warning=ExperimentalWarning', main], {
    env: { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0', UV_THREADPOOL_SIZE: '1' },
    stdio: 'ignore',
  })
  while ((await cli.run(['daemon', 'status'])).code !== 0) await sleep(100)
  const { stdout } = await cli.run(['env', '--endpoints', '--json'])
  const { STORAGE_EMULATOR_HOST: api = '' } = JSON.parse(stdout) as Record<string, string>
  const ask = async (method: string, path: string, body?: Buffer | string) => {
    const response = await fetch(api + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    })
    return { status: response.status, text: await response.text() }
  }
  const upload = (name: string) => ask('POST', `/upload/storage/v1/b/bytes/o?uploadType=media&name=${name}`, Buffer.alloc(100_000))
  expect((await ask('POST', '/storage/v1/b?project=broken-disk', '{"name":"bytes"}')).status).toBe(200)
  expect((await upload('kept')).status).toBe(200)
  const refused = { status: 400, text: expect.stringMatching(/gave an error: EIO.*Nothing more is written, reads go on/) }
  expect(await upload('lost')).toMatchObject(refused)
  expect(await upload('next')).toMatchObject(refused)
  expect(await ask('DELETE', '/storage/v1/b/bytes/o/kept')).toMatchObject(refused)
  expect(await ask('POST', '/v1/projects/broken-disk/secrets?secretId=s', '{"replication":{"automatic":{}}}')).toMatchObject(refused)
  expect((await ask('GET', '/storage/v1/b/bytes/o/kept?alt=media')).status).toBe(200)
  expect(readFileSync(join(cli.stateDirectory, 'daemon.log'), 'utf8')).toMatch(/"level":50.*EIO/)
  const ended = new Promise((resolve) => daemon.once('close', resolve))
  await cli.run(['daemon', 'stop'])
  await ended
})
