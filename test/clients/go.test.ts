import { afterAll, beforeAll, describe, test } from 'vitest'
import { goProgram } from './given-go.ts'
import { givenShell, type GivenShell } from './given-shell.ts'
import { runCases } from './run-cases.ts'

const program = goProgram() ?? ''

describe.runIf(program !== '')("Google's Go clients, led by devcloud env alone", { timeout: 180_000 }, () => {
  let shell: GivenShell
  // Go's clients look for a login in the home folder whatever CLOUDSDK_CONFIG says, and devcloud refuses a token of Google's
  beforeAll(async () => void (shell = await givenShell({ loggedIn: false })))
  afterAll(async () => await shell[Symbol.asyncDispose]())

  test.each([
    ['storage', 11],
    ['secretmanager', 8],
    ['sql', 3],
    ['run', 6],
  ])('pass every case of %s', async (product, count) => {
    await runCases(shell, count, program, product)
  })
})
