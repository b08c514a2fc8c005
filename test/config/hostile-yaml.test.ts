import { expect, test } from 'vitest'
import { Problems } from '../../src/config/problems.ts'
import { readYaml } from '../../src/config/read-yaml.ts'
import { problemsOf } from './project-folder.ts'

const half = 2 ** 19

/** Ten levels of ten aliases each: ten thousand million values in half a kilobyte. */
const laughs = `a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n${Array.from(
  { length: 10 },
  (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 10 }, () => `*a${i}`).join(', ')}]\n`,
).join('')}`

test('a YAML bomb is answered by a limit, not by growing', async () => {
  expect(await problemsOf(laughs)).toEqual(['devcloud.yaml:5:10  with its aliases the file has more than 20000 values; write less'])
})

test('aliases are followed where they stay small', () => {
  const problems = new Problems()
  const [document] = readYaml('a: &x { b: [1, 2] }\nc: *x\n', 'f.yaml', problems)
  expect(document?.value).toEqual({ a: { b: [1, 2] }, c: { b: [1, 2] } })
  expect(document?.placeOf(['c', 'b', 1])).toEqual({ file: 'f.yaml', line: 1, column: 16 })
  expect(problems.count).toBe(0)
})

test.each([
  ['open brackets', '['.repeat(2 * half)],
  ['closed brackets', '['.repeat(3000) + ']'.repeat(3000)],
  ['maps in maps', '{a: '.repeat(half / 2)],
  ['lists in lists', '- '.repeat(half)],
  ['keys of keys', '? '.repeat(half)],
  ['ever deeper lines', Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ['many keys', Array.from({ length: 90_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['many documents', '---\n'.repeat(half / 2)],
  ['many commas', `[${','.repeat(half)}`],
  ['many quotes', '"'.repeat(half)],
  ['many tags', '!!int '.repeat(half / 6)],
  ['many aliases', `- &a 1\n${'- *a\n'.repeat(half / 5)}`],
])('%s are refused with a place', async (_, text) => {
  const problems = await problemsOf(text)
  expect(problems[0]).toMatch(/^devcloud\.yaml:\d+:\d+ {2}.*(nested too deeply|write less|mend the YAML)/)
})
