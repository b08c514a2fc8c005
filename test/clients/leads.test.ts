import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goProgram } from './given-go.ts'
import { javaClassPath } from './given-java.ts'
import { pythonWithClients } from './given-python.ts'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

const programOf = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url))
const python = pythonWithClients() ?? ''

const clients: readonly (readonly [name: string, command: readonly string[], answer: string])[] = [
  ['Node with fallback', [process.execPath, programOf('node-fallback.ts')], '"title"'],
  ['Node', [process.execPath, programOf('node-clients.ts')], '"signed"'],
  ['Python', [python, programOf('python_clients.py')], '"secrets"'],
  ['Python by httplib2 without PySocks', [python, programOf('python_discovery.py')], "['main']"],
  ['Java', ['java', '-cp', javaClassPath() ?? '', 'Main', 'secretmanager'], 'gRPC: deletes'],
  ['Go', [goProgram() ?? '', 'secretmanager'], 'gRPC: sets'],
  ['gcloud', ['gcloud', 'secrets', 'list'], 'guestbook-settings'],
  ['gsutil', ['gsutil', 'ls'], 'gs://guestbook-pictures/'],
  ['curl', ['curl', '-sS', 'https://storage.googleapis.com/storage/v1/b/none'], 'error'],
]

describe.runIf(hasTool('strace', ['-V']) && python !== '')(
  'eval "$(devcloud env)" never leaves a client at the real cloud',
  { timeout: 120_000 },
  () => {
    let shell: GivenShell
    beforeAll(async () => void (shell = await givenShell({ loggedIn: false })))
    afterAll(async () => await shell[Symbol.asyncDispose]())

    test.each(clients)('%s connects to this machine alone, and asks for no name', async (_name, command, answer) => {
      const trace = join(shell.directory, 'trace')
      const out = await shell.stdoutOf('strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmmsg', '-o', trace, ...command)
      expect(out).toContain(answer)
      const left = readFileSync(trace, 'utf8').split('\n').filter(isOutside)
      expect(left).toEqual([])
    })
  },
)

/** `123 connect(20, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")}, 16) = 0` */
function isOutside(line: string): boolean {
  const address = /inet_addr\("([\d.]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/.exec(line)
  if (address === null) return false
  const [, four, six] = address
  return !(four ?? '').startsWith('127.') && six !== '::1' && !(six ?? '').startsWith('::ffff:127.')
}
