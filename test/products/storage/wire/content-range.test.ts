import { expect, test } from 'vitest'
import { readByteRange } from '../../../../src/products/storage/wire/byte-range.ts'
import { isWhole, planChunk, readContentRange } from '../../../../src/products/storage/wire/content-range.ts'

test('each form of Content-Range that Google clients send is read', () => {
  expect(readContentRange(undefined)).toEqual({ kind: 'bytes', firstByte: 0, lastByte: undefined, totalBytes: undefined })
  expect(readContentRange('bytes 0-*/*')).toEqual({ kind: 'bytes', firstByte: 0, lastByte: undefined, totalBytes: undefined })
  expect(readContentRange('bytes 5-*/10')).toEqual({ kind: 'bytes', firstByte: 5, lastByte: undefined, totalBytes: 10 })
  expect(readContentRange('bytes 5-9/*')).toEqual({ kind: 'bytes', firstByte: 5, lastByte: 9, totalBytes: undefined })
  expect(readContentRange('bytes */*')).toEqual({ kind: 'query', totalBytes: undefined })
  expect(readContentRange('bytes */10')).toEqual({ kind: 'query', totalBytes: 10 })
  for (const text of ['5-9/10', 'bytes 9-5/10', 'bytes 0-10/10', 'bytes -5/10', 'bytes 0-4']) {
    expect(() => readContentRange(text)).toThrow('Content-Range')
  }
})

test('what is there already is skipped, and the last chunk is known by its end', () => {
  expect(planChunk(readContentRange('bytes 0-9/10'), 4)).toEqual({ kind: 'append', skipBytes: 4, lengthBytes: 10, isLast: true })
  expect(planChunk(readContentRange('bytes 4-7/10'), 4)).toEqual({ kind: 'append', skipBytes: 0, lengthBytes: 4, isLast: false })
  expect(planChunk(readContentRange('bytes 5-7/10'), 4)).toEqual({ kind: 'gap' })
  expect(planChunk(readContentRange('bytes */10'), 4)).toEqual({ kind: 'tell' })
  expect(isWhole(readContentRange('bytes 4-7/*'), 8)).toBe(false)
  expect(isWhole(readContentRange('bytes 4-9/10'), 9)).toBe(false)
  expect(isWhole(readContentRange('bytes 4-*/*'), 9)).toBe(true)
})

test('storage trap 20: a range that cannot be read counts as absent', () => {
  expect(readByteRange('bytes=0-0', 1)).toEqual({ kind: 'part', first: 0, last: 0 })
  expect(readByteRange('bytes=-9', 4)).toEqual({ kind: 'part', first: 0, last: 3 })
  expect(readByteRange('bytes=-0', 4)).toEqual({ kind: 'unsatisfiable' })
  expect(readByteRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' })
  for (const text of ['bytes=3-1', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-', undefined])
    expect(readByteRange(text, 9)).toEqual({ kind: 'whole' })
})
