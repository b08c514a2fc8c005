import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pythonWithClients } from './given-python.ts'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

const program = fileURLToPath(new URL('programs/node-refusals.ts', import.meta.url))
const pythonProgram = fileURLToPath(new URL('programs/python_refusals.py', import.meta.url))
const python = pythonWithClients() ?? ''

let shell: GivenShell
beforeAll(async () => void (shell = await givenShell()))
afterAll(async () => await shell[Symbol.asyncDispose]())

/** What a client would try again, it would try past the time that the shell gives a program. */
test("Google's Node clients give up on what is not emulated, and tell its words", { timeout: 120_000 }, async () => {
  expect(JSON.parse(await shell.stdoutOf(process.execPath, program))).toEqual({
    notification: [400, expect.stringContaining('devcloud does not emulate')],
    hmacKey: [400, expect.stringContaining('devcloud does not emulate')],
    customerKey: [400, 'devcloud does not emulate customer-supplied encryption keys.'],
    nfs: [12, '12 UNIMPLEMENTED: NFS volumes are not emulated.'],
    regionalSecret: [12, expect.stringContaining('12 UNIMPLEMENTED: Regional secrets are not emulated')],
  })
})

describe.runIf(python !== '')("Google's Python clients", { timeout: 180_000 }, () => {
  test('give up on what is not emulated, and tell its words', async () => {
    const told = JSON.parse(await shell.stdoutOf(python, pythonProgram)) as Readonly<Record<string, readonly [number, string]>>
    const notEmulated = [400, expect.stringContaining('devcloud does not emulate')]
    expect(told).toMatchObject({ notification: notEmulated, hmacKey: notEmulated, customerKey: notEmulated })
    expect([told['nfs']?.[1], told['nfsOverRest']?.[1]]).toEqual(Array(2).fill(expect.stringContaining('NFS volumes are not emulated.')))
    expect(told['regionalSecret']?.[1]).toContain('Regional secrets are not emulated')
  })
})

describe.runIf(hasTool('gcloud'))('gcloud', { timeout: 180_000 }, () => {
  test.each([
    ['sql instances clone main other', 'UNIMPLEMENTED: devcloud does not emulate sql.instances.clone.'],
    ['compute zones list', 'devcloud does not emulate compute.googleapis.com.'],
    ['run services describe guestbook --region=us-centrall1', 'Location "us-centrall1" is not found. Did you mean "us-central1"?'],
  ])('%s ends with the words of the refusal', async (command, words) => {
    const { code, stderr } = await shell.run('gcloud', ...command.split(' '))
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
  })

  test.each(['sql backups list --instance=main', 'iam roles list --project=guestbook'])('%s lists nothing', async (command) => {
    expect(await shell.stdoutOf('gcloud', ...command.split(' '), '--format=value(name)')).toBe('')
  })
})

describe.runIf(hasTool('gsutil'))('gsutil', { timeout: 180_000 }, () => {
  test('ends with the words of a refusal, and lists nothing of what cannot be made', async () => {
    const refused = await shell.run('gsutil', 'hmac', 'create', 'a@guestbook.iam.gserviceaccount.com')
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('devcloud does not emulate')])
    expect(await shell.stdoutOf('gsutil', 'hmac', 'list')).toBe('')
  })

  test('cp -J packs the upload, and the object is stored unpacked', async () => {
    writeFileSync(join(shell.directory, 'plain'), 'a'.repeat(300_000))
    await shell.stdoutOf('gsutil', 'cp', '-J', 'plain', 'gs://guestbook-pictures/plain')
    const told = await shell.stdoutOf('gsutil', 'stat', 'gs://guestbook-pictures/plain')
    expect(told).toMatch(/Content-Length: +300000\n/)
    expect(told).not.toContain('Content-Encoding')
  })
})
