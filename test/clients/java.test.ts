import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { javaClassPath } from './given-java.ts'
import { givenShell, type GivenShell } from './given-shell.ts'

const classPath = javaClassPath() ?? ''

describe.runIf(classPath !== '')("Google's Java clients, led by devcloud env alone", { timeout: 180_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell()))
  afterAll(async () => await shell[Symbol.asyncDispose]())

  test.each([
    ['storage', 19],
    ['secretmanager', 18],
    ['sql', 6],
    ['run', 4],
  ])('pass every case of %s', async (product, cases) => {
    const lines = (await shell.stdoutOf('java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'Main', product)).split('\n')
    const told = lines.map((line) => JSON.parse(line) as { readonly name: string; readonly failure: string })
    expect(told.filter(({ failure }) => failure !== '').map(({ name, failure }) => `${name}: ${failure}`)).toEqual([])
    expect(told).toHaveLength(cases)
  })
})
