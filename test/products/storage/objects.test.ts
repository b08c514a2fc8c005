import { expect, test } from 'vitest'
import { givenStorage } from './given-storage.ts'

test('an object that is saved in one request reads back with its metadata', async () => {
  await using cloud = await givenStorage()
  const file = cloud.bucket.file('notes/größe #1.txt')
  await file.save('hello', {
    resumable: false,
    contentType: 'text/plain',
    metadata: { metadata: { Owner: 'me' }, cacheControl: 'no-store' },
  })
  const [content] = await file.download()
  const [metadata] = await file.getMetadata()
  expect(content.toString()).toBe('hello')
  expect(metadata).toMatchObject({ size: '5', contentType: 'text/plain', cacheControl: 'no-store', metadata: { Owner: 'me' } })
  expect(metadata.crc32c).toBe('mnG7TA==')
})

test('an object that is saved in a session reads back', async () => {
  await using cloud = await givenStorage()
  const data = Buffer.alloc(3_000_000, 'abcdefg')
  await cloud.bucket.file('big').save(data, { resumable: true })
  const [content] = await cloud.bucket.file('big').download()
  expect(content.equals(data)).toBe(true)
})

test('a list with prefix and delimiter gives items and prefixes', async () => {
  await using cloud = await givenStorage()
  for (const name of ['a/1', 'a/b/2', 'a/b/3', 'c']) await cloud.bucket.file(name).save('x', { resumable: false })
  const [files, , answer] = await cloud.bucket.getFiles({ prefix: 'a/', delimiter: '/', autoPaginate: false })
  expect(files.map((file) => file.name)).toEqual(['a/1'])
  expect(answer).toMatchObject({ prefixes: ['a/b/'] })
})
