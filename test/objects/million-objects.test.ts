import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileGlob } from '../../src/objects/glob.ts'
import type { Listing, ListQuery } from '../../src/objects/listing.ts'
import { givenStore, type GivenStore } from './given-store.ts'

/** Folders of as many objects each: `d0000/o000000`. Of every tenth folder the objects have an older generation too. */
const folders = 1000
const each = 1000

let given: GivenStore

beforeAll(async () => {
  given = await givenStore()
  const rows = (folderStep: number, generation: number, deleted: string) => `
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${folders * each})
    SELECT 1, CAST(printf('d%04d/o%06d', i / ${each}, i) AS BLOB), ${generation}, 1, 0, 0, NULL, 1, 1, ${deleted}, NULL, '[]', '{}'
    FROM n WHERE (i / ${each}) % ${folderStep} = 0`
  given.state.db.exec(`BEGIN; INSERT INTO object_live ${rows(1, 2, 'NULL')}; INSERT INTO object_noncurrent ${rows(10, 1, '1')}; COMMIT`)
}, 120_000)

afterAll(async () => given[Symbol.asyncDispose]())

/** A page, and how often others had their turn meanwhile. */
async function page(query: Partial<ListQuery>): Promise<Listing & { readonly turns: number }> {
  let turns = 0
  let isOver = false
  const tick = () => {
    turns += 1
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  const listing = await given.store.list('b', {
    prefix: '', delimiter: '', startOffset: '', endOffset: '', includeTrailingDelimiter: false, versions: false, limit: 1000, after: undefined,
    matches: () => true, ...query,
  }) // prettier-ignore
  isOver = true
  return { ...listing, turns }
}

const names = ({ items }: Listing) => items.map(({ name }) => name)

test('F40: of 10^6 objects a page and a page with a delimiter are right', async () => {
  const first = await page({})
  expect([names(first)[0], names(first).at(-1), first.end?.name.toString()]).toEqual(['d0000/o000000', 'd0000/o000999', 'd0000/o000999'])
  const second = await page({ after: first.end })
  expect(names(second)[0]).toBe('d0001/o001000')
  const cut = await page({ delimiter: '/' })
  expect([cut.items.length, cut.prefixes.length, cut.prefixes[0], cut.prefixes.at(-1)]).toEqual([0, 1000, 'd0000/', 'd0999/'])
  expect(cut.end).toBeUndefined()
  const last = await page({ prefix: 'd0999/', startOffset: 'd0999/o999990' })
  expect([last.items.length, last.end]).toEqual([10, undefined])
})

test('F40: a pattern that one object in 10^6 matches is sought over many turns of the event loop', async () => {
  const found = await page({ matches: compileGlob('d*/o999{998,999}') })
  expect(names(found)).toEqual(['d0999/o999998', 'd0999/o999999'])
  expect(found.turns).toBeGreaterThan(10)
  const none = await page({ versions: true, prefix: 'd09', matches: compileGlob(`${'*a'.repeat(300)}`) })
  expect([none.items.length, none.end]).toEqual([0, undefined])
  expect(none.turns).toBeGreaterThan(10)
})

test('F40: generations come in order, however the pages and turns cut them', async () => {
  const seen: string[] = []
  let after: ListQuery['after']
  do {
    const { items, end } = await page({ prefix: 'd0010/', versions: true, limit: 333, after })
    seen.push(...items.map(({ name, generation }) => `${name}#${generation}`))
    after = end
  } while (after !== undefined)
  expect(seen.length).toBe(2 * each)
  expect(seen.slice(0, 3)).toEqual(['d0010/o010000#1', 'd0010/o010000#2', 'd0010/o010001#1'])
  expect(new Set(seen).size).toBe(seen.length)
  const everyTenth = await page({ versions: true, delimiter: '/', startOffset: 'd0500/' })
  expect(everyTenth.prefixes.length).toBe(500)
})

test('F40: a bucket of 10^6 objects is removed over many turns', async () => {
  given.state.db.exec("DELETE FROM object_live WHERE name >= CAST('d0100/' AS BLOB)") // the first 100,000 are enough
  let turns = 0
  const ticker = setInterval(() => (turns += 1), 1)
  await given.store.removeBucketWhole(given.store.bucket('b'))
  clearInterval(ticker)
  expect(turns).toBeGreaterThan(10)
  expect(given.state.db.prepare('SELECT count(*) AS n FROM object_live').get()).toEqual({ n: 0 })
  expect(given.state.db.prepare('SELECT count(*) AS n FROM object_noncurrent').get()).toEqual({ n: 0 })
})
