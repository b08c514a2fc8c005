import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

test('devcloud up opens its services to all, and closes those that devcloud.yaml calls private, at once and both ways', async () => {
  const app = givenApp('open-app', server("'here'"))
  await using cli = givenCli()
  const up = async (settings: string) => {
    writeFileSync(join(app.directory, 'devcloud.yaml'), settings)
    const told = await cli.run(['up', '--engine', 'process', '-d'], { directory: app.directory })
    expect(told, told.stderr).toMatchObject({ code: 0 })
    return /http:\S+/.exec(told.stdout)?.[0] ?? ''
  }
  const open = 'project: open-app\nservices: { open-app: {} }\n'
  const url = await up(open)
  expect(await ask(url)).toMatchObject({ status: 200, body: 'here' })
  await up('project: open-app\nservices: { open-app: { invoker: private } }\n')
  const refused = await ask(url)
  expect(refused).toMatchObject({ status: 403 })
  expect(refused.body).toContain('devcloud run services proxy open-app')
  expect(await ask(url, { headers: { authorization: 'Bearer garbage' } })).toMatchObject({ status: 401 })
  await up(open)
  expect(await ask(url)).toMatchObject({ status: 200 })
})
