import { expect, test } from 'vitest'
import { readXmlTarget } from '../../../../src/products/storage/wire/xml-target.ts'

test('a bucket stands in front of the host or first in the path; storage.localhost, where browsers are led, is no bucket', () => {
  expect(readXmlTarget('b.storage.googleapis.com', '/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
  expect(readXmlTarget('b.storage.localhost', '/a')).toEqual({ bucket: 'b', key: 'a' })
  expect(readXmlTarget('storage.googleapis.com', '/b/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
  expect(readXmlTarget('storage.localhost', '/b/a/c')).toEqual({ bucket: 'b', key: 'a/c' })
})
