import { givenCli } from '../test/cli/given-cli.ts'
import { sameByHand } from './by-hand.ts'
import { answersDocker, copyExample, timedRun } from './examples.ts'
import { firstAnswer } from './first-answer.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const rounds = 5
const goalSeconds = 1

/**
 * Seconds until the gallery's first 200 after `devcloud down`, image and data being there: by `devcloud up`, and by `docker run` of the same
 * Postgres and then at once of the same image, with the same options. The daemon and its forwarder stand by both times: the application asks them for
 * its secret.
 */
export async function gallery(tell: (text: string) => void): Promise<BenchResult> {
  if (!answersDocker()) {
    tell('no container engine answers: nothing is measured')
    return { ratios: {} }
  }
  using example = copyExample('gallery')
  await using cli = givenCli()
  const { directory } = example
  tell(`first ever: ${(await timedRun(cli, ['up', '--engine', 'docker'], directory)).toFixed(2)} s`)
  await timedRun(cli, ['down', '--project', 'gallery'], directory)
  await timedRun(cli, ['up', '--engine', 'docker'], directory) // the first Postgres made its data; this one is as every later one
  const port = await cli.port()
  const { instance, database } = sameByHand(cli.stateDirectory)
  using _instance = instance
  using _database = database

  const ours: number[] = []
  const commands: number[] = []
  const hand: number[] = []
  await timedRun(cli, ['down', '--project', 'gallery'], directory)
  for (let round = 0; round < rounds; round += 1) {
    hand.push(
      await seconds(async () => {
        database.run()
        instance.run()
        await firstAnswer({ address: instance.ip, port: 8080, host: 'gallery.localhost' })
      }),
    )
    instance.remove()
    database.remove()
    ours.push(
      await seconds(async () => {
        const ran = timedRun(cli, ['up', '--engine', 'docker'], directory)
        await firstAnswer({ address: '127.0.0.1', port, host: `gallery.localhost:${port}` })
        return () => ran.then((whole) => commands.push(whole))
      }),
    )
    await timedRun(cli, ['down', '--project', 'gallery'], directory)
  }
  tell(`devcloud up: ${spread(ours)} s, the command itself ${spread(commands)} s; docker run: ${spread(hand)} s`)
  const differenceSeconds = rounded(median(ours) - median(hand))
  return { ratios: { 'docker run': rounded(median(hand) / median(ours)) }, figures: { differenceSeconds, goalSeconds } }
}

/** Times `work`; what it answers is awaited afterwards, on nobody's clock. */
async function seconds(work: () => Promise<void | (() => Promise<unknown>)>): Promise<number> {
  const began = performance.now()
  const rest = await work()
  const taken = (performance.now() - began) / 1000
  if (rest !== undefined) await rest()
  return taken
}
