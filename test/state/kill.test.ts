import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectKept, runWorkload } from './given-workload.ts'
import { freshDirectory, givenFixture } from './given-state.ts'

/** Kills the process at the Nth call of a kind that changes what is on the disk, or makes sure of it. */
const killAt = (call: string, when: number) => ['-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${when}`]
const undisturbed = ['-o', '/dev/null', '-e', 'trace=none']

const steps: readonly (readonly [call: string, times: readonly number[]])[] = [
  ['fdatasync', [1, 2, 4, 7, 11]],
  ['fsync', [4, 6, 10, 17, 30]],
  ['rename', [1, 2, 3]],
  ['pwrite64', [9, 25, 60, 110]],
]

test.each(steps)(
  'F1, F2, F3: kill -9 at a %s amid puts, overwrites, composes, deletes and uploads in parts: all or nothing, and no garbage stays',
  async (call, times) => {
    for (const when of times) {
      const directory = freshDirectory()
      const { lines } = runWorkload(directory, { strace: killAt(call, when), lanes: 2 })
      expect(lines.at(-1), `${call} ${when}`).not.toBe('over')
      if (existsSync(directory)) await expectKept(directory, lines)
    }
  },
)

const starts: readonly (readonly [call: string, when: number])[] = [
  ['fsync', 1],
  ['fsync', 2],
  ['fsync', 3],
  ['rename', 1],
  ['pwrite64', 2],
  ['pwrite64', 4],
]

test.each(starts)(
  'F4: kill -9 at %s %i of a first start, and of one that upgrades a kept state: the next start completes it',
  async (call, when) => {
    for (const directory of [freshDirectory(), givenFixture('schema-0')]) {
      runWorkload(directory, { strace: killAt(call, when), rounds: 1 })
      const again = runWorkload(directory, { strace: undisturbed, rounds: 1 })
      expect(again.lines.at(-1), again.stderr).toBe('over')
      await expectKept(directory, again.lines)
    }
  },
)
