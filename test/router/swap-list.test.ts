import { expect, test } from 'vitest'
import { SwapList, type Listed } from '../../src/router/swap-list.ts'

interface Item extends Listed {
  readonly name: string
}

test('a swap list holds what was added and not deleted, in whatever order it leaves', () => {
  const list = new SwapList<Item>()
  const items = ['a', 'b', 'c', 'd', 'e'].map(item)
  for (const item of items) list.add(item)
  const [a, , c, , e] = items as [Item, Item, Item, Item, Item]
  expect([list.delete(a), list.delete(e), list.delete(c)]).toEqual([true, true, true])
  expect(names(list)).toEqual(['b', 'd'])
  expect(list.size).toBe(2)
})

test('an item that is not in a swap list cannot be deleted from it', () => {
  const [list, other] = [new SwapList<Item>(), new SwapList<Item>()]
  const [mine, theirs] = [item('mine'), item('theirs')]
  list.add(mine)
  other.add(theirs)
  expect(list.delete(theirs)).toBe(false)
  expect(list.delete(mine)).toBe(true)
  expect(list.delete(mine)).toBe(false)
  expect(names(other)).toEqual(['theirs'])
})

test('items may leave a swap list while it is walked: all that stay are met', () => {
  const list = new SwapList<Item>()
  const items = Array.from({ length: 100 }, (_, n) => item(String(n)))
  for (const each of items) list.add(each)
  const met = new Set<string>()
  for (const each of list) {
    met.add(each.name)
    if (Number(each.name) % 3 === 0) list.delete(each)
    const before = items[Number(each.name) - 1]
    if (Number(each.name) % 7 === 0 && before !== undefined) list.delete(before)
  }
  expect(names(list).filter((name) => !met.has(name))).toEqual([])
})

function item(name: string): Item {
  return { name, place: -1 }
}

function names(list: SwapList<Item>): string[] {
  return [...list].map(({ name }) => name).toSorted()
}
