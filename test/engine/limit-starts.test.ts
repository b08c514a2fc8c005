import { expect, test } from 'vitest'
import type { Container, ContainerSpec, Engine } from '../../src/engine/engine.ts'
import { limitStarts } from '../../src/engine/limit-starts.ts'

const never = new AbortController().signal
const spec: ContainerSpec = { name: 'a', project: 'p', image: 'i', env: {}, mounts: [], labels: {}, serviceAccount: '' }

test('no more starts than the limit are under way, each gets its turn, and one that was given up leaves none', async () => {
  const ends: (() => void)[] = []
  let under = 0
  let most = 0
  const start = async (): Promise<Container> => {
    under += 1
    most = Math.max(most, under)
    await new Promise<void>((resolve) => ends.push(resolve))
    under -= 1
    throw new Error('no engine')
  }
  const engine = limitStarts({ kind: 'docker', start } as unknown as Engine, 2)
  const gone = new AbortController()
  const all = [never, never, gone.signal, never, never].map((signal) => engine.start(spec, signal).catch((error: unknown) => String(error)))
  await new Promise(setImmediate)
  expect(under).toBe(2)
  gone.abort(new Error('given up'))
  expect(await all[2]).toContain('given up')
  for (let n = 0; n < 4; n += 1) {
    ends.shift()?.()
    await new Promise(setImmediate)
  }
  expect(await Promise.all(all)).toEqual([...Array(2).fill('Error: no engine'), 'Error: given up', ...Array(2).fill('Error: no engine')])
  expect(most).toBe(2)
})
