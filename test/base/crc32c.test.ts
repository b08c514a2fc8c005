import { expect, test } from 'vitest'
import { crc32c } from '../../src/base/crc32c.ts'

test('crc32c gives the check value of the standard, in one piece and in two', () => {
  const data = Buffer.from('123456789')
  expect(crc32c(data)).toBe(0xe3069283)
  expect(crc32c(data.subarray(4), crc32c(data.subarray(0, 4)))).toBe(0xe3069283)
})

test('crc32c of 32 zero bytes is that of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
})
