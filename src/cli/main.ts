#!/usr/bin/env node
import { version } from '../base/version.ts'

// Asked so often by scripts and prompts that it must not wait for the rest of the program.
if (process.argv[2] === '--version' || process.argv[2] === '-V') {
  process.stdout.write(`${version()}\n`)
} else {
  const { runProgram } = await import('./program.ts')
  process.exitCode = await runProgram(process.argv)
}
