import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { crc32c } from '../../src/base/crc32c.ts'
import { fsck } from '../../src/daemon/fsck/fsck.ts'
import { openObjectStore } from '../../src/objects/object-store.ts'
import { objectTables } from '../../src/objects/schema.ts'
import { openCollection } from '../../src/state/collection.ts'
import { openState } from '../../src/state/state.ts'
import { bytesOf } from '../objects/given-store.ts'

const program = join(import.meta.dirname, 'programs', 'store-workload.ts')

/** Runs the workload under strace. One thread does what libuv does beside the main one, so that strace's counts are those of all. */
export function runWorkload(
  directory: string,
  options: { readonly strace: readonly string[]; readonly lanes?: number; readonly rounds?: number },
): { readonly lines: readonly string[]; readonly signal: string | null; readonly stderr: string } {
  const { strace, lanes = 1, rounds = 2 } = options
  const { stdout, stderr, signal } = spawnSync(
    'strace',
    ['-f', '-qq', ...strace, process.execPath, '--disable-warning=ExperimentalWarning', program, directory, String(lanes), String(rounds)],
    { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' }, timeout: 60_000, maxBuffer: 1 << 28 },
  )
  return { lines: stdout.split('\n').filter(Boolean), signal, stderr }
}

/** What may be true of each name once `lines` were said: the last value that was acknowledged, and one that was begun after it. */
function allowedAfter(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const allowed = new Map<string, readonly string[]>()
  for (const line of lines) {
    const [word, name = '', value = ''] = line.split(' ')
    if (word === 'begin') allowed.set(name, [...(allowed.get(name) ?? ['-']), value])
    if (word === 'done') allowed.set(name, [value])
  }
  return allowed
}

/** Opens what a workload left, and holds it against what it said: nothing acknowledged is lost, nothing is half, and no garbage stays. */
export async function expectKept(directory: string, lines: readonly string[]): Promise<void> {
  const found = await fsck(directory, false)
  expect(
    found.faults.filter(({ kind }) => kind !== 'orphan'),
    lines.at(-1),
  ).toEqual([])
  {
    await using state = openState(directory, [objectTables])
    await using store = await openObjectStore(state, systemClock)
    const rows = openCollection(state, 'workload')
    for (const [name, allowed] of allowedAfter(lines)) {
      const object =
        name.startsWith('row') || store.findBucket('b') === undefined
          ? undefined
          : store.findObject({ bucket: 'b', name, generation: undefined })
      const value = name.startsWith('row') ? rows.get(name) : object && String(crc32c(await bytesOf(store, object)))
      expect(allowed, `${name} after: ${lines.at(-1)}`).toContain(value ?? '-')
    }
  }
  expect((await fsck(directory, false)).faults).toEqual([])
}
