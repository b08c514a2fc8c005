import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goProgram } from './given-go.ts'
import { pythonWithClients } from './given-python.ts'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

const programOf = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url))
const python = pythonWithClients() ?? ''
const go = goProgram() ?? ''

/** What each refusal must name. */
const named: Readonly<Record<string, RegExp>> = {
  notification: /notificationConfigs/,
  'HMAC key': /hmacKeys/,
  'another host': /pubsub\.googleapis\.com/,
  'another host by gRPC': /pubsub\.googleapis\.com/,
  'storage by gRPC': /google\.storage\.v2|storage/i,
  clone: /clone/i,
  GPU: /GPU|nvidia/i,
}

describe('a refusal ends the call of every client', { timeout: 180_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell({ loggedIn: false })))
  afterAll(async () => await shell[Symbol.asyncDispose]())

  test.each<readonly [string, readonly string[], number]>([
    ['Node', [process.execPath, programOf('node-refusals.ts')], 5],
    ...(python === '' ? [] : [['Python', [python, programOf('python_refusals.py')], 6] as const]),
    ...(go === '' ? [] : [['Go', [go, 'refusals'], 7] as const]),
  ])('%s', async (_client, [program = '', ...args], count) => {
    const lines = (await shell.stdoutOf(program, ...args)).split('\n')
    const told = lines.map((line) => JSON.parse(line) as { readonly name: string; readonly words: string })
    for (const { name, words } of told) {
      expect.soft(words, name).toMatch(/not emulate/)
      expect.soft(words, name).toMatch(named[name] ?? /^$/)
    }
    expect(told).toHaveLength(count)
  })

  const commands = [
    ['gcloud', 'storage', 'hmac', 'create', 'a@b.example'],
    ['gcloud', 'pubsub', 'topics', 'list'],
    ['gcloud', 'sql', 'instances', 'clone', 'main', 'copy'],
    ['gcloud', 'secrets', 'list', '--location=us-central1'],
    ['gsutil', 'notification', 'create', '-f', 'json', '-t', 'topic', 'gs://guestbook-pictures'],
    ['gsutil', 'hmac', 'create', 'a@b.example'],
  ].filter(([tool = '']) => hasTool(tool))
  test.each(commands.map((command) => [command.join(' '), command] as const))('%s', async (_line, [program = '', ...args]) => {
    const { code, stderr } = await shell.run(program, ...args)
    expect(stderr).toMatch(/not emulate/)
    expect(code).toBeGreaterThan(0)
  })
})
