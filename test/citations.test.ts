import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const isProse = /\.(ts|mjs|py|md)$/
const texts = ['src', 'test', 'bench', 'docs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => isProse.test(name) && !name.startsWith('src/api/gen/') && name !== 'test/citations.test.ts')
    .map((name) => ({ name, text: textOf(name).replaceAll(/\n[ \t]*(\*|\/\/) /g, ' ') })),
)

test('every rule that is cited stands in docs/contract or docs/reliability.md', () => {
  const known = new Set([
    ...rulesOf('docs/contract/cloud-run.md', 'run trap '),
    ...rulesOf('docs/contract/storage.md', 'storage trap '),
    ...rulesOf('docs/contract/sql-iam-terraform.md', 'sql trap '),
    ...rulesOf('docs/reliability.md', ''),
  ])
  expect(known.size).toBe(55 + 42 + 50 + 38 + 60)
  const wrong = texts.flatMap(({ name, text }) => citationsIn(text).flatMap((rule) => (known.has(rule) ? [] : [`${name}: ${rule}`])))
  expect(wrong).toEqual([])
})

test('every fault, attack and trap of Cloud Run has a test, but for the few that docs/security.md gives a reason for', () => {
  const cited = new Set(texts.filter(({ name }) => name.startsWith('test/')).flatMap(({ text }) => citationsIn(text)))
  const rules = [...rulesOf('docs/reliability.md', ''), ...rulesOf('docs/contract/cloud-run.md', 'run trap ')]
  const excused = /^\| number \| why not \|\n\|.*\n((?:\|.*\n)+)/m.exec(textOf('docs/security.md'))?.[1] ?? ''
  expect(rules.filter((rule) => !cited.has(rule)).toSorted()).toEqual(
    Array.from(excused.matchAll(/^\| ([^|]+) \|/gm), ([, numbers = '']) => numbers.split(' '))
      .flat()
      .toSorted(),
  )
})

test('a citation names its page, and no page is cited by a section that may move', () => {
  const loose = /(?<!\b(?:run|storage|sql) )\btraps? \d+|\b(?:contract|reliability) \d|\bdx\.md|\b[Ii]ssue \d/g
  expect(texts.flatMap(({ name, text }) => Array.from(text.matchAll(loose), ([words]) => `${name}: ${words}`))).toEqual([])
})

test('citations are read one by one, in lists and in spans', () => {
  const text = 'run traps 1 and 43: F1, S38 of (sql traps 35, 36), storage trap 3; run traps 7 to 9; %F0%9F, RS256, F100'
  const span = ['run trap 7', 'run trap 8', 'run trap 9']
  expect(citationsIn(text).toSorted()).toEqual(
    ['run trap 1', 'run trap 43', 'F1', 'S38', 'sql trap 35', 'sql trap 36', 'storage trap 3', ...span].toSorted(),
  )
})

/** `run trap 12`, `F28`, as often as they are cited. */
function citationsIn(text: string): readonly string[] {
  const traps = Array.from(text.matchAll(/\b(run|storage|sql) traps? (\d+(?:(?:, | and | to )\d+)*)/g), ([, page = '', numbers = '']) =>
    numbers.split(/, | and /).flatMap((part) => spanOf(part).map((number) => `${page} trap ${number}`)),
  )
  const numbers = Array.from(text.matchAll(/(?<![\w%#-])[FS][1-9]\d?\b(?!%)/g), ([number]) => number)
  return [...traps.flat(), ...numbers]
}

/** `7 to 9` is 7, 8, 9. */
function spanOf(part: string): readonly number[] {
  const [first = 0, last = first] = part.split(' to ').map(Number)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** The numbers of a page's tables: `| 12 | rule | source |`. */
function rulesOf(page: string, prefix: string): readonly string[] {
  const rows = textOf(page).matchAll(/^\| ([FS]?\d+) \| (.+) \| (.+) \|$/gm)
  return Array.from(rows, ([, number = '']) => prefix + number)
}

function textOf(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}
