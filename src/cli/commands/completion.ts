import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import type { CompletionNames } from './completion-names.ts'

/**
 * Adds `devcloud completion`: `source <(devcloud completion bash)`. Call after all other commands are added: it completes those.
 * @param names the values of arguments, by the argument's name
 */
export function addCompletion(program: Command, names: CompletionNames = {}): void {
  const root = tab(program, { completionCommandName: 'completion' })
  for (const command of root.commands.values()) {
    for (const argument of command.arguments.values()) {
      const known = names[argument.name]
      if (known !== undefined) argument.handler = (complete) => known.forEach((name) => complete(name, ''))
    }
  }
}
