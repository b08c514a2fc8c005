import { expect, test } from 'vitest'
import { compileGlob } from '../../src/objects/glob.ts'
import type { ListQuery } from '../../src/objects/listing.ts'
import { readPageToken, toPageToken } from '../../src/objects/page-token.ts'
import { freshDirectory, givenStore, type GivenStore } from './given-store.ts'

const everything: ListQuery = {
  prefix: '',
  delimiter: '',
  startOffset: '',
  endOffset: '',
  includeTrailingDelimiter: false,
  versions: false,
  limit: 1000,
  after: undefined,
  matches: () => true,
}

async function pages(given: GivenStore, query: Partial<ListQuery>, limit: number): Promise<string[]> {
  const told: string[] = []
  let after: ListQuery['after']
  do {
    const page = await given.store.list('b', { ...everything, ...query, limit, after })
    told.push(...page.items.map(({ name }) => name), ...page.prefixes.map((prefix) => `>${prefix}`))
    after = page.end === undefined ? undefined : readPageToken(toPageToken(page.end))
  } while (after !== undefined)
  return told.toSorted()
}

test('storage trap 24: names come in the order of their UTF-8 bytes', async () => {
  await using given = await givenStore()
  for (const name of ['\u{1f600}', '～', 'é', 'z', 'a/', 'a', 'a/b', 'B', '..', 'x//y']) await given.put(name, name)
  const names = (await given.store.list('b', everything)).items.map(({ name }) => name)
  expect(names).toEqual(['..', 'B', 'a', 'a/', 'a/b', 'x//y', 'z', 'é', '～', '\u{1f600}'])
})

test('storage trap 21: any page size gives what one page gives, nothing lost and nothing twice', async () => {
  await using given = await givenStore(freshDirectory(), undefined, true)
  const parts = ['a', 'b', 'a/', 'b//', 'é', '0', '/']
  for (const one of parts) for (const two of parts) await given.put(`${one}${two}${two.length}`, 'x')
  for (const name of ['a/', 'a/b/', 'a']) for (let n = 0; n < 3; n += 1) await given.put(name, `${n}`)
  const queries: Partial<ListQuery>[] = [
    {},
    { delimiter: '/' },
    { delimiter: '/', prefix: 'a/' },
    { delimiter: '/', includeTrailingDelimiter: true },
    { delimiter: '//' },
    { prefix: 'a', startOffset: 'a/', endOffset: 'b' },
    { delimiter: '/', startOffset: 'a/1', endOffset: 'b//0' },
    { versions: true },
    { versions: true, delimiter: '/' },
    { delimiter: '/', matches: compileGlob('*/') },
  ]
  for (const query of queries) {
    const whole = await pages(given, query, 1000)
    expect(whole.length).toBeGreaterThan(0)
    for (const limit of [1, 2, 3, 7]) expect(await pages(given, query, limit)).toEqual(whole)
  }
})

test('storage trap 21: a page token is the one that Google makes', () => {
  expect(toPageToken({ name: Buffer.from('a/'), generation: undefined })).toBe('CgJhLw==')
  expect(readPageToken('CgJhLw==')?.name.toString()).toBe('a/')
  const end = { name: Buffer.from('x'.repeat(300)), generation: 1_791_234_567_890_123 }
  expect(readPageToken(toPageToken(end))).toEqual(end)
  expect(readPageToken('nonsense')).toBeUndefined()
})

test('storage trap 23: the start is included, the end is not, both for cut prefixes too', async () => {
  await using given = await givenStore()
  for (const name of ['a/1', 'b/1', 'b/9', 'c/1', 'd']) await given.put(name, '')
  const list = (query: Partial<ListQuery>) => pages(given, { delimiter: '/', ...query }, 1000)
  expect(await list({ startOffset: 'b/', endOffset: 'd' })).toEqual(['>b/', '>c/'])
  expect(await list({ startOffset: 'b/5' })).toEqual(['>c/', 'd'])
  expect(await list({ endOffset: 'b/5' })).toEqual(['>a/', '>b/'])
})

test('storage trap 22: globs follow slashes, braces, sets and escapes', () => {
  const cases: [string, string, boolean][] = [
    ['*.jpg', 'a.jpg', true],
    ['*.jpg', 'a/b.jpg', false],
    ['**.jpg', 'a/b.jpg', true],
    ['img/**.jpg', 'img/', false],
    ['img/*/', 'img/x/', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['{a,b{c,d}}.txt', 'bd.txt', true],
    ['{a,b}.txt', 'c.txt', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
  ]
  for (const [pattern, name, expected] of cases) expect([pattern, name, compileGlob(pattern)(name)]).toEqual([pattern, name, expected])
})

test('stars that follow one another are one, sets and slashes keep their meaning, and places pass from word to word', () => {
  const cases: [string, string, boolean][] = [
    [`${'*'.repeat(1000)}x`, 'a/b/cx', true],
    ['***', 'a/b', true],
    ['*', '', true],
    ['a*', 'a/b', false],
    ['{a,*}{*,**}', 'x/y', true],
    ['{a', '{a', true],
    ['a{b,{c,d}e}{,f}', 'adef', true],
    [`${'a?'.repeat(40)}*z`, `${'ab'.repeat(40)}cz`, true],
    [`${'a?'.repeat(40)}*z`, `${'ab'.repeat(40)}c`, false],
    [`${'*a'.repeat(100)}`, `${'b'.repeat(500)}${'a'.repeat(100)}`, true],
    ['é?[à-ü]', 'é\u{1f600}é', true],
  ]
  for (const [pattern, name, expected] of cases) expect([pattern, name, compileGlob(pattern)(name)]).toEqual([pattern, name, expected])
})

test('S25: a pattern costs no more than its length times that of the name: too long, and too many alternatives, are refused', () => {
  expect(compileGlob(`${'*a'.repeat(500)}b`)('a'.repeat(1024))).toBe(false)
  expect(() => compileGlob('*'.repeat(8000))).toThrow('longer than 1024 bytes')
  expect(() => compileGlob('{a,b}'.repeat(9))).toThrow('too many alternatives')
  expect(() => compileGlob(`${'x'.repeat(700)}${'{a,b,c,d}'.repeat(2)}`)).toThrow('too many alternatives')
  expect(compileGlob('{'.repeat(512) + '}'.repeat(512))('')).toBe(true)
})

test('a listing with a delimiter does not read what is under a prefix', async () => {
  await using given = await givenStore()
  const puts = []
  for (let n = 0; n < 5000; n += 1) puts.push(given.put(`big/${n}`, ''))
  await Promise.all(puts)
  await given.put('after', '')
  const started = performance.now()
  for (let n = 0; n < 100; n += 1) await given.store.list('b', { ...everything, delimiter: '/' })
  expect((performance.now() - started) / 100).toBeLessThan(2)
})
