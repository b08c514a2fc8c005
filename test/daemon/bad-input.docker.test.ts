import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, impatient, server } from './given-app.ts'

test('an application in a container that listens on 127.0.0.1 alone is named, and the old revision serves on', async () => {
  const app = givenApp('inward-app', server("'one'"))
  await using cli = givenCli()
  const up = (...more: readonly string[]) => cli.run(['up', '--engine', 'docker', ...more], { directory: app.directory })
  const first = await up()
  expect(first, first.stderr).toMatchObject({ code: 0 })
  const url = /http:\S+/.exec(first.stdout)?.[0] ?? ''

  app.write('server.cjs', server("'two'", "process.env.PORT, '127.0.0.1'"))
  app.write('service.yaml', impatient('inward-app'))
  const told = await up('--json')
  expect(told.code).toBe(5)
  expect(JSON.parse(told.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    kind: 'error',
    error: {
      code: 'FAILED_PRECONDITION',
      fault: 'NOT_LISTENING',
      evidence: expect.arrayContaining([
        'it does listen on 127.0.0.1:8080',
        expect.stringMatching(/^still serving inward-app-00001-\w{3}$/),
      ]),
      next: expect.stringContaining('0.0.0.0:$PORT'),
    },
  })
  expect(await ask(url)).toMatchObject({ status: 200, body: 'one' })
}, 180_000)
