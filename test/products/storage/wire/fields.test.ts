import { expect, test } from 'vitest'
import { readMask, select } from '../../../../src/products/storage/wire/fields.ts'

const selected = (text: string) => select(list, readMask(text))

const list = {
  kind: 'k',
  nextPageToken: 't',
  items: [
    { name: 'a', size: '1', owner: { entity: 'e', id: 'i' } },
    { name: 'b', size: '2' },
  ],
}

test('storage trap 31: fields keeps what it names', () => {
  expect(selected('items(name,size),nextPageToken')).toEqual({
    nextPageToken: 't',
    items: [
      { name: 'a', size: '1' },
      { name: 'b', size: '2' },
    ],
  })
  expect(selected('items/name')).toEqual({ items: [{ name: 'a' }, { name: 'b' }] })
  expect(selected('items/owner/id,items/name')).toEqual({ items: [{ name: 'a', owner: { id: 'i' } }, { name: 'b' }] })
  expect(selected('*/name')).toMatchObject({ items: [{ name: 'a' }, { name: 'b' }] })
  expect(selected('absent')).toEqual({})
})

test('a selection of one key by several paths keeps all of them', () => {
  expect(selected('items(owner/id),items(owner(entity),size)')).toEqual({
    items: [{ size: '1', owner: { entity: 'e', id: 'i' } }, { size: '2' }],
  })
  expect(selected('items,items/name')).toEqual({ items: list.items })
})

test('a selection that is nested too deep, or is too long, is refused', () => {
  for (const text of [
    `${'a('.repeat(3000)}b${')'.repeat(3000)}`,
    'a/'.repeat(3000) + 'b',
    `${'a/'.repeat(20)}b`,
    `${'a('.repeat(20)}b${')'.repeat(20)}`,
  ])
    expect(() => readMask(text)).toThrow(/too (long|deep)/)
})

test('a malformed selection is refused', () => {
  for (const text of ['items(name', 'a,,b', 'a)b', '']) expect(() => selected(text)).toThrow('Invalid field selection')
})
