import { describe, expect, test } from 'vitest'
import { arrangeRows } from '../../../src/cli/format/arrange-rows.ts'
import { printRows } from '../../../src/cli/format/print-rows.ts'
import { readFormat } from '../../../src/cli/format/read-format.ts'
import { formatCases, formatResources } from './format-cases.ts'

const rows = formatResources.map((resource) => ({ resource, derived: { glyph: '✔' } }))
const print = (format: string, single = false) => printRows(readFormat(format), single ? rows.slice(0, 1) : rows, single)

describe('formats', () => {
  test.each(formatCases)('%s', (format, expected) => {
    expect(print(format)).toBe(expected)
  })

  test('one resource stands without the frame of a list', () => {
    expect(print('json(name)', true)).toBe('{\n  "name": "b"\n}\n')
    expect(print('yaml(name)', true)).toBe('name: b\n')
    expect(print('text(name,n)', true)).toBe('n:    3\nname: b\n')
  })

  test('what is known besides the resource is found by keys, and stays out of JSON', () => {
    expect(print('value(glyph,name)')).toBe('✔\tb\n✔\ta\n')
    expect(print('json(glyph,name)', true)).toBe('{\n  "name": "b"\n}\n')
  })

  test('numbers sort by size, from the end with ~', () => {
    const names = (sortBy: string) => arrangeRows(rows, { sortBy }).map(({ resource }) => resource['name'])
    expect(names('n')).toEqual(['b', 'a'])
    expect(names('~n')).toEqual(['a', 'b'])
    expect(names('active,name')).toEqual(['a', 'b'])
  })

  test('flattening makes a row of each item', () => {
    const flat = arrangeRows(rows, { flatten: 'traffic[]' })
    expect(printRows(readFormat('value(name,traffic.rev)'), flat, false)).toBe('b\ta-1\nb\ta-2\na\t\n')
  })

  test.each([
    ['nope(x)', '"nope" is no format that devcloud has.'],
    ['jsn', '"jsn" is no format'],
    ['table', 'table needs the keys to print.'],
    ['value(name.foo())', 'the transform "foo" is not known.'],
    ['value(name', '")"|"," is missing'],
    ['value(name) x', 'nothing may follow [value(name)  *HERE* x]'],
    ['value(name.date("%Y)', 'the quote " is not closed'],
  ])('%s is refused with its place', (format, message) => {
    const words = new RegExp(message.split('|').map((part) => part.replaceAll(/[()*[\].]/g, '\\$&')).join('|')) // prettier-ignore
    expect(() => readFormat(format)).toThrow(words)
    expect(() => readFormat(format)).toThrow(expect.objectContaining({ fault: 'USAGE' }))
  })
})
