import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectKept, runWorkload } from './given-workload.ts'
import { freshDirectory } from './given-state.ts'
import { chanceOf, readTrace, TracedDisk, traceOptions } from './traced-disk.ts'

const cuts = 50

test('F5: of 50 power cuts in a row, each after another sync of a traced run, none loses what was acknowledged and none leaves half of anything', async () => {
  const directory = freshDirectory()
  mkdirSync(directory, { mode: 0o700 })
  const trace = join(mkdtempSync(join(tmpdir(), 'trace-')), 'trace')
  const { lines, stderr } = runWorkload(directory, { strace: traceOptions(trace), lanes: 2, rounds: 3 })
  expect(lines.at(-1), stderr).toBe('over')
  await expectKept(directory, lines)

  const steps = readTrace(readFileSync(trace, 'utf8'), directory)
  const syncs = steps.flatMap((step, at) => (step.kind === 'sync' ? [at] : []))
  expect(syncs.length).toBeGreaterThan(cuts)
  const said = steps.flatMap((step) => (step.kind === 'said' ? [step.line] : []))
  expect(said).toEqual(lines)

  for (let cut = 0; cut < cuts; cut += 1) {
    const sync = syncs[Math.floor((cut * syncs.length) / cuts)] ?? 0
    const rest = cut % 2 === 0 ? undefined : chanceOf(cut) // half of them lose all that was not synced, half some of it
    // what comes after that sync and before the next one, up to a point that the seed picks
    const next = syncs.find((at) => at > sync) ?? steps.length
    const until = sync + 1 + Math.floor(chanceOf(cut + 1000)() * (next - sync))
    const disk = new TracedDisk()
    for (const step of steps.slice(0, until)) disk.apply(step)
    const after = freshDirectory()
    mkdirSync(after, { mode: 0o700 })
    disk.cutPower(after, rest)
    await expectKept(
      after,
      steps.slice(0, until).flatMap((step) => (step.kind === 'said' ? [step.line] : [])),
    )
  }
})
