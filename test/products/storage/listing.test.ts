import { expect, test } from 'vitest'
import { givenStorage } from './given-storage.ts'

test('a list with prefix and delimiter gives items and prefixes', async () => {
  await using cloud = await givenStorage()
  for (const name of ['a/1', 'a/b/2', 'a/b/3', 'c']) await cloud.bucket.file(name).save('x', { resumable: false })
  const [files, , answer] = await cloud.bucket.getFiles({ prefix: 'a/', delimiter: '/', autoPaginate: false })
  expect(files.map((file) => file.name)).toEqual(['a/1'])
  expect(answer).toMatchObject({ prefixes: ['a/b/'] })
})

test('flags are read as gsutil writes them: versions=True', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.setMetadata({ versioning: { enabled: true } })
  await cloud.bucket.file('gone').save('x', { resumable: false })
  await cloud.bucket.file('gone').delete()
  expect((await cloud.send('GET', '/storage/v1/b/bucket/o?versions=True')).json()).toMatchObject({ items: [{ name: 'gone' }] })
  expect((await cloud.send('GET', '/storage/v1/b/bucket/o?versions=False')).json()).not.toHaveProperty('items')
})

test('storage trap 21: pages of one give what one big page gives', async () => {
  await using cloud = await givenStorage()
  for (const name of ['a/', 'a/1', 'b', 'b/1', 'b/2', 'c/1', 'd']) await cloud.bucket.file(name).save('x', { resumable: false })
  for (const query of ['', '&delimiter=/', '&delimiter=/&includeTrailingDelimiter=true', '&versions=true&delimiter=/']) {
    const whole = await page(`&maxResults=1000${query}`)
    const items: string[] = []
    const prefixes: string[] = []
    let token: string | undefined = ''
    while (token !== undefined) {
      const one = await page(`&maxResults=1${query}${token === '' ? '' : `&pageToken=${encodeURIComponent(token)}`}`)
      items.push(...one.items)
      prefixes.push(...one.prefixes)
      token = one.token
    }
    expect({ query, items, prefixes }).toEqual({ query, items: whole.items, prefixes: whole.prefixes })
  }

  async function page(query: string) {
    const answer = await cloud.send('GET', `/storage/v1/b/bucket/o?prefix=${query}`)
    const {
      items = [],
      prefixes = [],
      nextPageToken: token,
    } = answer.json() as {
      items?: { name: string }[]
      prefixes?: string[]
      nextPageToken?: string
    }
    return { items: items.map(({ name }) => name), prefixes, token }
  }
})

test('storage trap 22: matchGlob filters names', async () => {
  await using cloud = await givenStorage()
  for (const name of ['img/a.jpg', 'img/b.png', 'img/x/c.jpg']) await cloud.bucket.file(name).save('x', { resumable: false })
  const [files] = await cloud.bucket.getFiles({ matchGlob: 'img/*.jpg' })
  expect(files.map(({ name }) => name)).toEqual(['img/a.jpg'])
})

test('storage trap 23: an empty list has neither items nor prefixes', async () => {
  await using cloud = await givenStorage()
  expect((await cloud.send('GET', '/storage/v1/b/bucket/o')).json()).toEqual({ kind: 'storage#objects' })
  expect((await cloud.send('GET', '/storage/v1/b/bucket/o?pageToken=nonsense')).status).toBe(400)
})

test('S25: a pattern or a selection that could cost much is 400, and one that costs little is answered', async () => {
  await using given = await givenStorage()
  await given.bucket.file('a'.repeat(1000)).save('')
  const list = (query: string) => given.send('GET', `/storage/v1/b/bucket/o?${query}`)
  expect((await list(`matchGlob=${'*'.repeat(8000)}`)).status).toBe(400)
  expect((await list(`matchGlob=${'*a'.repeat(400)}b`)).json()).toEqual({ kind: 'storage#objects' })
  expect((await list(`fields=${'a('.repeat(3000)}b${')'.repeat(3000)}`)).status).toBe(400)
  expect((await list(`fields=${'a/'.repeat(3000)}b`)).status).toBe(400)
  expect((await list('fields=items(name),kind')).json()).toEqual({ kind: 'storage#objects', items: [{ name: 'a'.repeat(1000) }] })
  expect((await list('fields=items/absent')).json()).toEqual({ items: [{}] })
})
