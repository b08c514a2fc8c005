import { setImmediate as nextRound } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turn } from '../../src/base/turn.ts'

test('however many pieces of work wait, one has its turn in each round of the event loop, each as often as the others', async () => {
  const turns: number[] = []
  const work = async (id: number) => {
    const turn = new Turn()
    for (let step = 0; step < 5; step += 1) {
      await turn.next()
      turns.push(id)
    }
  }
  const mostInARound = (async () => {
    let most = 0
    for (let round = 0; round < 60; round += 1) {
      const before = turns.length
      await nextRound()
      most = Math.max(most, turns.length - before)
    }
    return most
  })()
  await Promise.all(Array.from({ length: 8 }, (_, id) => work(id)))
  expect(await mostInARound).toBe(1)
  expect(turns).toEqual(Array.from({ length: 5 }, () => [0, 1, 2, 3, 4, 5, 6, 7]).flat())
})

test('a turn is over after some milliseconds, and anew after its next one', async () => {
  const turn = new Turn()
  expect(turn.isOver).toBe(false)
  const began = performance.now()
  while (!turn.isOver) expect(performance.now() - began).toBeLessThan(100)
  await turn.next()
  expect(turn.isOver).toBe(false)
})
