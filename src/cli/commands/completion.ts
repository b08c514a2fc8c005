import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

/** `source <(devcloud completion bash)`. Added last: it completes the commands that stand before it. */
export function addCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' })
}
