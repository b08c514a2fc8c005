import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a daemon that fails right after its log was opened ends with its own exit code, and what it logged is there', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'log-')), 'daemon.log')
  const log = new URL('../../src/base/log.ts', import.meta.url).href
  const program = `const { openLog } = await import('${log}'); openLog(process.argv[1]).error('why'); process.exit(75)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, path], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 75, stderr: '' })
  expect(readFileSync(path, 'utf8')).toContain('"msg":"why"')
})
