import { afterAll, beforeAll, describe, test } from 'vitest'
import { javaClassPath } from './given-java.ts'
import { givenShell, type GivenShell } from './given-shell.ts'
import { runCases } from './run-cases.ts'

const classPath = javaClassPath() ?? ''

describe.runIf(classPath !== '')("Google's Java clients, led by devcloud env alone", { timeout: 180_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell()))
  afterAll(async () => await shell[Symbol.asyncDispose]())

  test.each([
    ['storage', 20],
    ['secretmanager', 18],
    ['sql', 6],
    ['run', 4],
  ])('pass every case of %s', async (product, count) => {
    await runCases(shell, count, 'java', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'Main', product)
  })
})
