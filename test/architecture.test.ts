import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { circlesIn, pathsIn, readImports } from './read-imports.ts'

const source = join(import.meta.dirname, '../src')
const imports = readImports(source)
const between = [...imports].flatMap(([file, imported]) =>
  imported.map((other) => ({ file, other, from: roomOf(file), to: roomOf(other) })),
)

test('docs/architecture.md has every room of src on one storey', () => {
  const rooms = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(readStoreys().flat().toSorted()).toEqual(rooms.map(({ name }) => name).toSorted())
})

test('a room imports from rooms of lower storeys alone', () => {
  const storeys = readStoreys()
  const heightOf = (room: string) => storeys.findIndex((rooms) => rooms.includes(room))
  const wrong = between.filter(({ from, to }) => from !== to && heightOf(from) >= heightOf(to))
  expect(wrong.map(({ file, other }) => `${file} > ${other}`)).toEqual([])
})

test('products do not import one another', () => {
  const wrong = between.filter(({ file, other }) => productOf(file) && productOf(other) && productOf(file) !== productOf(other))
  expect(wrong.map(({ file, other }) => `${file} > ${other}`)).toEqual([])
})

test('outside a product only its index.ts is imported', () => {
  const inner = between.filter(
    ({ file, other }) => productOf(other) && !productOf(file) && other !== `products/${productOf(other)}/index.ts`,
  )
  expect(inner.map(({ file, other }) => `${file} > ${other}`)).toEqual([])
})

test('no files import one another in a circle, types neither', () => {
  expect(circlesIn(imports)).toEqual([])
})

test('imports are read of values, of types, of import() and of threads', () => {
  const text = `
    import { a } from './a.ts'
    import type { B } from '../b.ts'
    import { c,
      type C } from './c.ts'
    export { d } from './d.ts'
    import './e.ts'
    type F = import('./f.ts').F
    new Worker(new URL('./g.ts', import.meta.url))
    import { h } from 'vitest'`
  expect(pathsIn(text)).toEqual(['./a.ts', '../b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts'])
})

test('a circle is told by its files, the shortest one of a group', () => {
  const imports = new Map([
    ['a.ts', ['b.ts', 'd.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['a.ts']],
    ['d.ts', ['d.ts']],
  ])
  expect(circlesIn(imports)).toEqual(['a.ts > b.ts > c.ts > a.ts', 'd.ts > d.ts'])
})

/** The table of docs/architecture.md, highest storey first. */
function readStoreys(): readonly (readonly string[])[] {
  const page = readFileSync(join(import.meta.dirname, '../docs/architecture.md'), 'utf8')
  const [, table = ''] = /^## Storeys$[^]*?^```\n([^]*?)^```$/m.exec(page) ?? []
  return table
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? ''
}

/** `sql` of products/sql/users.ts; undefined outside products. */
function productOf(file: string): string | undefined {
  const [room, product] = file.split('/')
  return room === 'products' ? product : undefined
}
