import { expect, test } from 'vitest'
import { selectFields } from '../../../../src/products/storage/wire/fields.ts'

const list = {
  kind: 'k',
  nextPageToken: 't',
  items: [
    { name: 'a', size: '1', owner: { entity: 'e', id: 'i' } },
    { name: 'b', size: '2' },
  ],
}

test('storage trap 31: fields keeps what it names', () => {
  expect(selectFields(list, 'items(name,size),nextPageToken')).toEqual({
    nextPageToken: 't',
    items: [
      { name: 'a', size: '1' },
      { name: 'b', size: '2' },
    ],
  })
  expect(selectFields(list, 'items/name')).toEqual({ items: [{ name: 'a' }, { name: 'b' }] })
  expect(selectFields(list, 'items/owner/id,items/name')).toEqual({ items: [{ name: 'a', owner: { id: 'i' } }, { name: 'b' }] })
  expect(selectFields(list, '*/name')).toMatchObject({ items: [{ name: 'a' }, { name: 'b' }] })
  expect(selectFields(list, 'absent')).toEqual({})
})

test('a malformed selection is refused', () => {
  for (const text of ['items(name', 'a,,b', 'a)b', '']) expect(() => selectFields(list, text)).toThrow('Invalid field selection')
})
