import { givenCli } from '../test/cli/given-cli.ts'
import { copyExample, timedRun } from './examples.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const rounds = 5
const goals = { start: 3, again: 1 }

/**
 * Seconds of `devcloud up` on the guestbook, as processes, until the command has had its 200: ever first; when nothing runs but everything is
 * cached; when everything runs.
 */
export async function up(tell: (text: string) => void): Promise<BenchResult> {
  using example = copyExample('guestbook')
  await using cli = givenCli()
  const { directory } = example
  const run = (...args: string[]) => timedRun(cli, args, directory)
  const first = await run('up', '--engine', 'process')
  tell(`first ever: ${first.toFixed(2)} s`)
  const starts: number[] = []
  const agains: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    await run('down')
    await run('daemon', 'stop')
    starts.push(await run('up', '--engine', 'process'))
    agains.push(await run('up', '--engine', 'process'))
  }
  tell(`nothing runs: ${spread(starts)} s; everything runs: ${spread(agains)} s`)
  return {
    ratios: { 'goal of start': rounded(goals.start / median(starts)), 'goal of again': rounded(goals.again / median(agains)) },
    figures: { firstSeconds: rounded(first), startSeconds: rounded(median(starts)), againSeconds: rounded(median(agains)) },
  }
}
