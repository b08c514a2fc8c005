import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

describe.runIf(hasTool('gsutil'))('gsutil, led by devcloud env alone', { timeout: 180_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell()))
  afterAll(async () => await shell[Symbol.asyncDispose]())
  const gsutil = (...args: readonly string[]) => shell.stdoutOf('gsutil', ...args)

  test('copies 20 MB up by a resumable upload and down again, lists, tells and removes it', async () => {
    const bytes = randomBytes(20_000_000)
    writeFileSync(join(shell.directory, 'big'), bytes)
    await gsutil('mb', '-l', 'us-central1', 'gs://gs-one')
    await gsutil('cp', 'big', 'gs://gs-one/')
    expect(await gsutil('ls', 'gs://gs-one')).toBe('gs://gs-one/big')
    expect(await gsutil('stat', 'gs://gs-one/big')).toMatch(/Content-Length: +20000000\n/)
    await gsutil('cp', 'gs://gs-one/big', 'back')
    expect(readFileSync(join(shell.directory, 'back')).equals(bytes)).toBe(true)
    await gsutil('rm', 'gs://gs-one/big')
    expect(await gsutil('ls', 'gs://gs-one')).toBe('')
  })

  test('takes a folder along, finds the second time that nothing changed, and prints an object', async () => {
    mkdirSync(join(shell.directory, 'folder', 'sub'), { recursive: true })
    writeFileSync(join(shell.directory, 'folder', 'a'), 'one')
    writeFileSync(join(shell.directory, 'folder', 'sub', 'b'), 'two')
    const target = 'gs://guestbook-pictures/folder'
    await gsutil('rsync', '-r', 'folder', target)
    expect(await gsutil('cat', `${target}/sub/b`)).toBe('two')
    expect((await shell.run('gsutil', 'rsync', '-r', 'folder', target)).stderr).not.toContain('Copying')
  })

  test("changes a bucket's policy, and removes a bucket with all versions of what was in it", async () => {
    writeFileSync(join(shell.directory, 'c'), 'three')
    await gsutil('mb', 'gs://gs-two')
    await gsutil('versioning', 'set', 'on', 'gs://gs-two')
    await gsutil('iam', 'ch', 'allUsers:objectViewer', 'gs://gs-two')
    await gsutil('cp', 'c', 'gs://gs-two/c')
    expect(await shell.stdoutOf('curl', '-sS', 'https://storage.googleapis.com/gs-two/c')).toBe('three')
    await gsutil('rm', 'gs://gs-two/c')
    expect(await gsutil('ls', '-a', 'gs://gs-two')).toMatch(/^gs:\/\/gs-two\/c#\d+$/)
    await gsutil('rm', '-r', 'gs://gs-two')
    expect(await gsutil('ls')).not.toContain('gs-two')
  })
})
