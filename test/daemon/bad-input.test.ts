import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, impatient, server } from './given-app.ts'

interface Row {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
  readonly exit: number
  readonly error: {
    readonly code: string
    readonly fault: string
    readonly message: RegExp
    readonly evidence: RegExp
    readonly next: RegExp
  }
}

const secretEnv = '          env: [{ name: KEY, valueFrom: { secretKeyRef: { name: absent, key: latest } } }]\n'
const bomb = Array.from('bcdefgh', (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]\n`)

/** What a second `up` meets while a good revision serves. Exit codes: docs/errors.md. */
const rows: readonly Row[] = [
  {
    what: 'an application that exits',
    files: { 'server.cjs': "console.error('Set the SECRET_KEY environment variable'); process.exit(3)" },
    exit: 1,
    error: {
      code: 'FAILED_PRECONDITION',
      fault: 'APP_CRASHED',
      message: /failed to start and listen on the port defined provided by the PORT=8080 environment variable.* It exited 3\./,
      evidence: /Set the SECRET_KEY environment variable/,
      next: /^devcloud logs bad-input$/,
    },
  },
  {
    what: 'an application that never listens',
    files: { 'server.cjs': 'setInterval(() => {}, 1000)', 'service.yaml': impatient('bad-input') },
    exit: 5,
    error: {
      code: 'FAILED_PRECONDITION',
      fault: 'NOT_LISTENING',
      message: /STARTUP TCP probe failed 1 time consecutively for container "bad-input-1" on port 8080/,
      evidence: /it listens on no port/,
      next: /0\.0\.0\.0:\$PORT.*devcloud up/,
    },
  },
  {
    what: 'an application that listens elsewhere',
    files: { 'server.cjs': server("'two'", "0, '127.0.0.1'"), 'service.yaml': impatient('bad-input') },
    exit: 5,
    error: {
      code: 'FAILED_PRECONDITION',
      fault: 'NOT_LISTENING',
      message: /STARTUP TCP probe failed 1 time consecutively/,
      evidence: /it does listen on 127\.0\.0\.1:\d+/,
      next: /0\.0\.0\.0:\$PORT.*devcloud up/,
    },
  },
  {
    what: 'a secret that is not there',
    files: { 'service.yaml': impatient('bad-input', secretEnv) },
    exit: 3,
    error: {
      code: 'FAILED_PRECONDITION',
      fault: 'SECRET_UNREADABLE',
      message: /secrets\/absent\/versions\/latest cannot be read/,
      evidence: /Secret \[projects\/\d+\/secrets\/absent\] not found/,
      next: /gcloud secrets versions add absent/,
    },
  },
  {
    what: 'a wrong field in devcloud.yaml',
    files: { 'devcloud.yaml': 'service: {}\n' },
    exit: 3,
    error: {
      code: 'INVALID_ARGUMENT',
      fault: 'CONFIG_INVALID',
      message: /1 problem in devcloud\.yaml/,
      evidence: /^devcloud\.yaml:1:1 {2}unknown key "service"; write "services"$/,
      next: /devcloud up/,
    },
  },
  {
    what: 'a probe that Cloud Run would not take',
    files: { 'service.yaml': impatient('bad-input').replace('periodSeconds', 'period') },
    exit: 3,
    error: {
      code: 'INVALID_ARGUMENT',
      fault: 'CONFIG_INVALID',
      message: /1 problem in service\.yaml/,
      evidence: /^service\.yaml:10:27 {2}.*"period"/,
      next: /devcloud up/,
    },
  },
  {
    what: 'a YAML bomb',
    files: { 'devcloud.yaml': `a: &a [x, x, x, x, x, x, x, x, x]\n${bomb.join('')}` },
    exit: 3,
    error: {
      code: 'INVALID_ARGUMENT',
      fault: 'CONFIG_INVALID',
      message: /1 problem in devcloud\.yaml/,
      evidence: /with its aliases the file has more than \d+ values/,
      next: /devcloud up/,
    },
  },
]

test('F32, F33: what is wrong with a project is named with code, evidence and one command, while the old revision serves on', async () => {
  const good = { 'server.cjs': server("'one'"), 'service.yaml': '', 'devcloud.yaml': '' }
  const app = givenApp('bad-input', good['server.cjs'], good)
  await using cli = givenCli()
  const up = (...more: readonly string[]) => cli.run(['up', '--engine', 'process', ...more], { directory: app.directory })
  expect(await up()).toMatchObject({ code: 0 })
  const url = `http://bad-input.localhost:${await cli.port()}/`
  const { body: revision } = await ask(url)
  expect(revision).toBe('one')

  for (const { what, files, exit, error } of rows) {
    for (const [path, text] of Object.entries({ ...good, ...files })) app.write(path, text)
    const { code, fault, message, evidence, next } = error
    const told = await up('--json')
    expect(told.code, what).toBe(exit)
    expect(JSON.parse(told.stdout.trim().split('\n').at(-1) ?? ''), what).toEqual({
      kind: 'error',
      error: {
        code,
        fault,
        message: expect.stringMatching(message),
        evidence: expect.arrayContaining([expect.stringMatching(evidence)]),
        next: expect.stringMatching(next),
      },
    })
    expect(await ask(url), what).toMatchObject({ status: 200, body: 'one' })
  }

  app.write('server.cjs', "console.error('Set the SECRET_KEY environment variable'); process.exit(3)")
  for (const path of ['service.yaml', 'devcloud.yaml'] as const) app.write(path, good[path])
  const words = await up()
  expect(words.stderr).toMatch(
    /✗ APP_CRASHED {2}.*It exited 3\.\n {2}Set the SECRET_KEY.*\n {2}still serving bad-input-00001-\w{3}\n {2}→ devcloud logs bad-input\n$/,
  )
}, 120_000)
