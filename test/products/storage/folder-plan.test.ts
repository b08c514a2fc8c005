import { expect, test } from 'vitest'
import { filesOf, folderPlan, isPath, type InStep, type SeenFile } from '../../../src/products/storage/folder-plan.ts'

/** One name: `size@generation` in step, sizes at the look before and now, the generation of the object; `-` where there is none. */
function plan(text: string): string {
  const [known = '-', before = '-', now = '-', object = '-'] = text.split(' ')
  const file = (size: string): Map<string, SeenFile> => new Map(size === '-' ? [] : [['a', { sizeBytes: Number(size), mtimeMs: 0 }]])
  const [size, generation] = known.split('@')
  const inStep = new Map<string, InStep>(
    known === '-' ? [] : [['a', { sizeBytes: Number(size), mtimeMs: 0, generation: Number(generation) }]],
  )
  const objects = new Map(object === '-' ? [] : [['a', Number(object)]])
  return folderPlan(inStep, file(before), file(now), objects)
    .map(({ kind }) => kind)
    .join(' ')
}

test.each([
  ['1@1 1 1 1', ''],
  ['- - - 1', 'download'],
  ['1@1 1 1 2', 'download'],
  ['- - 5 -', ''],
  ['- 4 5 -', ''],
  ['- 5 5 -', 'upload'],
  ['1@1 1 5 1', ''],
  ['1@1 5 5 1', 'upload'],
  ['1@1 1 - 1', 'removeObject'],
  ['1@1 1 1 -', 'removeFile'],
  ['1@1 1 - -', 'forget'],
])('one side changed: %s is %s', (state, steps) => expect(plan(state)).toBe(steps))

test.each([
  ['1@1 5 5 2', 'upload'],
  ['1@1 5 5 -', 'upload'],
  ['- 5 5 2', 'upload'],
  ['1@1 1 5 2', ''],
  ['1@1 1 - 2', 'download'],
])('both changed: the file that was written wins, a deletion does not: %s is %s', (state, steps) => expect(plan(state)).toBe(steps))

test('names that cannot be paths are left out, and nothing leads out of the folder', () => {
  expect([
    ...filesOf(['a', 'b/c', 'd/', 'd/e', 'f', 'f/g', '../x', 'y/../../z', '/abs', 'p//q', './r', 's\0t', `${'u'.repeat(256)}`]),
  ]).toEqual(['a', 'b/c', 'd/e', 'f/g'])
  expect(isPath('d/')).toBe(true)
  expect(isPath('..')).toBe(false)
})
