import { expect } from 'vitest'
import type { GivenShell } from './given-shell.ts'

/** Runs a program that prints for each of its cases a line of JSON, and expects that none failed and that there are so many. */
export async function runCases(shell: GivenShell, count: number, program: string, ...args: readonly string[]): Promise<void> {
  const lines = (await shell.stdoutOf(program, ...args)).split('\n')
  const told = lines.map((line) => JSON.parse(line) as { readonly name: string; readonly failure: string })
  expect(told.filter(({ failure }) => failure !== '').map(({ name, failure }) => `${name}: ${failure}`)).toEqual([])
  expect(told).toHaveLength(count)
}
