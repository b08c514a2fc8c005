import { Command, CommanderError } from 'commander'
import { version } from '../base/version.ts'
import { addAuth } from './commands/auth.ts'
import { addClean } from './commands/clean.ts'
import { completionNames } from './commands/completion-names.ts'
import { addCompletion } from './commands/completion.ts'
import { addDaemon } from './commands/daemon.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDown } from './commands/down.ts'
import { addEnv, failedEnv } from './commands/env.ts'
import { addExec, addOneOff } from './commands/exec.ts'
import { addExplain } from './commands/explain.ts'
import { addFsck } from './commands/fsck.ts'
import { addInit } from './commands/init.ts'
import { addLogs } from './commands/logs.ts'
import { addOpen } from './commands/open.ts'
import { addPs } from './commands/ps.ts'
import { addStatus } from './commands/status.ts'
import { addTrust } from './commands/trust.ts'
import { addUp } from './commands/up.ts'
import { exitCodeOf } from './exit-code-of.ts'
import { exitCodes } from './exit-codes.ts'
import { openOutput } from './output.ts'

/** Runs one command line. @returns the exit code, one of exit-codes.ts */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const program = await createProgram(argv[2] ?? '')
  try {
    await program.parseAsync([...argv])
    return Number(process.exitCode ?? 0)
  } catch (error) {
    const isHelp = error instanceof CommanderError && error.exitCode === 0
    if (argv[2] === 'env' && !isHelp && !argv.includes('--json')) process.stdout.write(failedEnv)
    if (error instanceof CommanderError) return isHelp ? 0 : exitCodes.usage
    openOutput({ json: argv.includes('--json') }).fail(error)
    return exitCodeOf(error)
  }
}

/** Makes the program with every command, one file each. The commands below `run` are loaded only when `word`, the first word of the command line, needs them. */
async function createProgram(word: string): Promise<Command> {
  const program = new Command('devcloud')
    .description('A local Google Cloud for web applications.')
    .version(version(), '-V, --version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(`✗ USAGE  ${text.replace(/^error: /, '')}`) })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 the application failed, 2 usage, 3 configuration, 4 engine, 5 not ready in time, 130 interrupted.',
    )
  for (const add of [
    addUp,
    addDown,
    addPs,
    addStatus,
    addLogs,
    addOpen,
    addEnv,
    addExec,
    addInit,
    addDoctor,
    addExplain,
    addFsck,
    addClean,
    addTrust,
    addDaemon,
    addAuth,
  ])
    add(program)
  if (loadsRun.includes(word)) (await import('./commands/run/index.ts')).addRun(program)
  else addOneOff(program)
  addCompletion(program, word === 'complete' ? await completionNames() : {})
  for (const command of program.commands) inherit(command, program)
  return program
}

/** The first words that need the commands below `run`. A shell calls `complete` for each Tab. */
const loadsRun: readonly string[] = ['run', 'completion', 'complete']

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(child, command)
}
