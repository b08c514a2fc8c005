import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import type { CompletionNames } from './completion-names.ts'

/**
 * `source <(devcloud completion bash)`. Added last: it completes the commands that stand before it.
 * @param names what stands for the arguments of these names
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
