import { expect, test } from 'vitest'
import { givenRun } from './given-run.ts'

test('a service of one container answers through the router, and is taken over by the next daemon', async () => {
  await using run = await givenRun()
  await run.deploy('app')
  const first = await run.ask('app', '/id')
  expect(first).toMatchObject({ status: 200 })
  await run.restart()
  expect(await run.ask('app', '/id')).toMatchObject({ status: 200, body: first.body })
})
