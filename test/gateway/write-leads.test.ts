import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { writeLeads } from '../../src/gateway/write-leads.ts'

test('fetch of a Node that looks at no proxy fails for names of Google, and reaches every other', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dc-leads-'))
  const { nodePath } = writeLeads(directory)
  const old = join(directory, 'old.cjs')
  writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })")
  const program = `
    const told = []
    for (const url of ['https://storage.googleapis.com/a', new URL('https://web-1234.us-central1.run.app/'), new Request('https://oauth2.googleapis.com/token'), 'http://127.0.0.1:1/', 'no url'])
      told.push(await fetch(url).then(() => 'answered', (error) => error.message))
    console.log(JSON.stringify(told))`
  const env = { PATH: process.env['PATH'], HTTPS_PROXY: 'http://127.0.0.1:1', NODE_OPTIONS: `--require=${old} --require=${nodePath}` }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env })
  const told = JSON.parse(stdout) as readonly string[]
  for (const words of told.slice(0, 3)) expect(words).toMatch(/uses no proxy.*would be the real one.*devcloud env --endpoints/)
  for (const words of told.slice(3)) expect(words).not.toContain('devcloud')
  rmSync(directory, { recursive: true })
})
