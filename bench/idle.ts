import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { givenCli } from '../test/cli/given-cli.ts'
import { answersDocker, copyExample, timedRun } from './examples.ts'
import { cpuSeconds, residentMb } from './memory.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const seconds = 30
const goals = { rssMb: 120, cpuPercent: 1 }

/** What the daemon takes while both examples are up and nobody asks them anything. */
export async function idle(tell: (text: string) => void): Promise<BenchResult> {
  using guestbook = copyExample('guestbook')
  using gallery = copyExample('gallery')
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' }) // what users run is compiled: sources are stripped in memory
  await using cli = givenCli({ program: join(root, 'dist/cli/main.js') })
  await timedRun(cli, ['up', '--engine', 'process'], guestbook.directory)
  if (answersDocker()) await timedRun(cli, ['up', '--engine', 'docker'], gallery.directory)
  else tell('no container engine answers: the guestbook alone is up')
  const pid = await cli.daemonPid()
  await sleep(5000)
  const before = cpuSeconds(pid)
  const sizes: number[] = []
  for (let second = 0; second < seconds; second += 1) {
    sizes.push(residentMb(pid))
    await sleep(1000)
  }
  const cpuPercent = ((cpuSeconds(pid) - before) / seconds) * 100
  tell(`RSS ${spread(sizes, 1)} MB, CPU ${cpuPercent.toFixed(2)} %`)
  return {
    ratios: { 'goal of RSS': rounded(goals.rssMb / median(sizes)), 'goal of CPU': rounded(goals.cpuPercent / Math.max(cpuPercent, 0.01)) },
    figures: { rssMb: rounded(median(sizes), 1), cpuPercent: rounded(cpuPercent) },
  }
}
