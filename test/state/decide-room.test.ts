import { expect, test } from 'vitest'
import { ballastBytesFor, isScarceNow } from '../../src/state/decide-room.ts'

const mib = 1 << 20

test('F7: the ballast is 4 MiB, and an eighth of a small disk', () => {
  expect([16 * mib, 24 * mib, 1 << 30].map(ballastBytesFor)).toEqual([2 * mib, 3 * mib, 4 * mib])
})

test('F7: a disk that counts as full must have more room than the ballast gives back, or deletes would turn the answer', () => {
  const room = { freeFiles: Infinity, ballastBytes: 4 * mib }
  expect(isScarceNow({ ...room, freeBytes: 1.1 * mib, isScarce: false })).toBe(false)
  expect(isScarceNow({ ...room, freeBytes: 0.9 * mib, isScarce: false })).toBe(true)
  expect(isScarceNow({ ...room, freeBytes: 4.9 * mib, isScarce: true })).toBe(true) // what the ballast gave back
  expect(isScarceNow({ ...room, freeBytes: 6.1 * mib, isScarce: true })).toBe(false)
})

test('F8: so does one without inodes', () => {
  const room = { freeBytes: 100 * mib, ballastBytes: 4 * mib }
  expect(isScarceNow({ ...room, freeFiles: 3, isScarce: false })).toBe(true)
  expect(isScarceNow({ ...room, freeFiles: 19, isScarce: true })).toBe(true)
  expect(isScarceNow({ ...room, freeFiles: 40, isScarce: true })).toBe(false)
})
