import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from '../daemon/given-app.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('S35: no other user may read or enter anything of the state, whatever the umask; only certificates, which containers read, have open modes in a closed folder', async () => {
  await using cli = givenCli()
  const files = {
    'devcloud.yaml': `project: closed-shop
secrets: { password: { value: first } }
buckets: [closed-shop-bytes]
services: { web: { dir: ., env: { PASSWORD: { secret: password, version: latest } } } }
`,
  }
  const { directory } = givenApp('closed-shop', server("'closed'"), files)
  const open = (...args: readonly string[]) =>
    execFileSync('sh', ['-c', 'umask 000; exec "$@"', 'sh', process.execPath, main, ...args], {
      cwd: directory,
      env: { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  open('up', '--engine', 'process')
  open('env')
  const { STORAGE_EMULATOR_HOST: api = '' } = JSON.parse(open('env', '--endpoints', '--json')) as Record<string, string>
  const upload = await fetch(`${api}/upload/storage/v1/b/closed-shop-bytes/o?uploadType=media&name=large`, {
    method: 'POST',
    body: Buffer.alloc(100_000),
  })
  expect(upload.status).toBe(200)
  await fetch(`${api}/upload/storage/v1/b/closed-shop-bytes/o?uploadType=resumable&name=half`, { method: 'POST' })

  const found = execFileSync('find', [cli.stateDirectory, '-perm', '/077', '-not', '-type', 'l', '-printf', '%P %y\n'], {
    encoding: 'utf8',
  })
  const lines = found.trim().split('\n')
  expect(lines.filter((line) => !line.startsWith('ca/'))).toEqual([])
  for (const line of lines.filter((one) => one.endsWith(' f'))) {
    expect(readFileSync(join(cli.stateDirectory, line.slice(0, -2)), 'latin1'), line).not.toContain('PRIVATE KEY')
  }
  expect(execFileSync('stat', ['-c', '%a', join(cli.stateDirectory, 'ca'), cli.stateDirectory], { encoding: 'utf8' })).toBe('700\n700\n')
})
