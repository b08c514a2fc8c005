import { expect, test } from 'vitest'
import { readPlace } from '../../../../src/products/storage/wire/xml-place.ts'

test('a bucket stands in front of the host or first in the path; storage.localhost, where browsers are led, is no bucket', () => {
  expect(readPlace('b.storage.googleapis.com', '/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
  expect(readPlace('b.storage.localhost', '/a')).toEqual({ bucket: 'b', key: 'a' })
  expect(readPlace('storage.googleapis.com', '/b/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
  expect(readPlace('storage.localhost', '/b/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
})
