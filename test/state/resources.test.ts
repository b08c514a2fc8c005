import { expect, test } from 'vitest'
import { belongingRows } from '../../src/state/belongings.ts'
import { CloudError } from '../../src/base/cloud-error.ts'
import { openCollection } from '../../src/state/collection.ts'
import { jsonKind } from '../../src/state/resource-kind.ts'
import { openResources } from '../../src/state/resources.ts'
import { openState } from '../../src/state/state.ts'
import { freshDirectory } from './given-state.ts'

interface Shelf {
  readonly name: string
  readonly isGone?: boolean
}

const shelfKind = jsonKind<Shelf>('shelf', ({ name }) => name)

test('a resource is found by its canonical name; one that is missing, or whose time is over, is NOT_FOUND in the words of its kind', async () => {
  await using state = openState(freshDirectory(), [])
  const shelves = openResources(state, shelfKind, {
    canonical: (name) => name.replace('projects/7/', 'projects/p/'),
    missing: (name) => new CloudError('NOT_FOUND', `No shelf ${name}.`, 'Build it.'),
    isGone: ({ isGone }) => isGone === true,
  })
  await shelves.put({ name: 'projects/p/shelves/a' })
  await shelves.put({ name: 'projects/p/shelves/gone', isGone: true })
  expect(shelves.get('projects/7/shelves/a')).toEqual({ name: 'projects/p/shelves/a' })
  expect(shelves.find('projects/7/shelves/gone')).toBeUndefined()
  expect(() => shelves.get('projects/7/shelves/b')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: 'No shelf projects/7/shelves/b.' }),
  )
  expect(await shelves.delete('projects/7/shelves/a')).toBe(true)
  expect(await shelves.delete('projects/7/shelves/a')).toBe(false)
})

test('a list has what is below its parent alone, goes on behind a name, and counts what it gives, not what is gone', async () => {
  await using state = openState(freshDirectory(), [])
  const shelves = openResources(state, shelfKind, { isGone: ({ isGone }) => isGone === true })
  const names = ['projects/p/shelves/a', 'projects/p/shelves/c', 'projects/p/shelves/d', 'projects/p2/shelves/a']
  await Promise.all([...names.map((name) => shelves.put({ name })), shelves.put({ name: 'projects/p/shelves/b', isGone: true })])
  const namesOf = (listed: readonly Shelf[]) => listed.map(({ name }) => name)
  expect(namesOf(shelves.list('projects/p'))).toEqual(names.slice(0, 3))
  expect(namesOf(shelves.list('projects/p/shelves', 'projects/p/shelves/a', 1))).toEqual(['projects/p/shelves/c'])
  expect(namesOf(shelves.list(''))).toEqual(names)
  expect(shelves.projects()).toEqual(['p', 'p2'])
})

test('a row that cannot be read, or that names another resource, fails alone: lists pass over it, and it can be deleted', async () => {
  await using state = openState(freshDirectory(), [])
  const shelves = openResources(state, shelfKind)
  const rows = openCollection(state, 'shelf')
  const bad = { 'projects/p/shelves/half': '{ half', 'projects/p/shelves/null': 'null', 'projects/p/shelves/other': '{"name":"x"}' }
  for (const [name, value] of Object.entries(bad)) await rows.put(name, value)
  await shelves.put({ name: 'projects/p/shelves/whole' })
  for (const name of Object.keys(bad))
    expect(() => shelves.find(name)).toThrow(
      expect.objectContaining({ code: 'DATA_LOSS', fault: 'ROW_UNREADABLE', message: expect.stringContaining(name) }),
    )
  expect(shelves.list('')).toEqual([{ name: 'projects/p/shelves/whole' }])
  expect(shelves.names('projects/p')).toEqual([...Object.keys(bad), 'projects/p/shelves/whole'])
  expect(await shelves.delete('projects/p/shelves/half')).toBe(true)
})

test('what belongs to a resource goes with it: resources below, texts of its name, rows of tables, and theirs; its neighbors keep their own', async () => {
  const table = { name: 'pages', run: (db: { exec(sql: string): void }) => db.exec('CREATE TABLE pages (book TEXT, number INTEGER)') }
  await using state = openState(freshDirectory(), [table])
  const books = openResources(
    state,
    jsonKind<Shelf>('book', ({ name }) => name),
    { belongings: [belongingRows(state, 'pages', 'book')] },
  )
  const labels = openCollection(state, 'label')
  const shelves = openResources(state, shelfKind, { belongings: [books, labels] })
  const fill = async (shelf: string) => {
    await Promise.all([shelves.put({ name: shelf }), labels.put(shelf, 'red'), books.put({ name: `${shelf}/books/b` })])
    await state.write((db) => db.prepare('INSERT INTO pages VALUES (?, 1)').run(`${shelf}/books/b`))
  }
  const left = () => [shelves.names(''), books.names(''), labels.list('').map(({ name }) => name), pages()]
  const pages = () => state.db.prepare('SELECT book FROM pages').all().map((row) => row['book']) // prettier-ignore
  const [a, a2, other] = ['projects/p/shelves/a', 'projects/p/shelves/a-2', 'projects/p-2/shelves/a']
  for (const shelf of [a, a2, other]) await fill(shelf)

  await shelves.delete(a)
  const having = (shelves: readonly string[]) => [shelves, shelves.map((s) => `${s}/books/b`), shelves, shelves.map((s) => `${s}/books/b`)]
  expect(left().map((names) => names.toSorted())).toEqual(having([other, a2]))
  await shelves.deleteBelow('projects/p')
  expect(left()).toEqual(having([other]))
})

test('a resource stays with all that belongs to it when one of these cannot be deleted', async () => {
  await using state = openState(freshDirectory(), [])
  const labels = openCollection(state, 'label')
  const failing = { removeWith() { throw new Error('the disk says no') } } // prettier-ignore
  const shelves = openResources(state, shelfKind, { belongings: [labels, failing] })
  await Promise.all([shelves.put({ name: 's' }), labels.put('s', 'red')])
  await expect(shelves.delete('s')).rejects.toThrow('the disk says no')
  expect(shelves.get('s')).toEqual({ name: 's' })
  expect(labels.get('s')).toBe('red')
})
