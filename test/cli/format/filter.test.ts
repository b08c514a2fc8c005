import { expect, test } from 'vitest'
import { arrangeRows } from '../../../src/cli/format/arrange-rows.ts'
import { readFilter } from '../../../src/cli/format/filter.ts'
import { readFormat } from '../../../src/cli/format/read-format.ts'

const resources = [
  { metadata: { name: 'hello', labels: { env: 'dev' } }, n: 3, tags: ['blue', 'green'] },
  { metadata: { name: 'help-desk', labels: {} }, n: 10, tags: [] },
  { metadata: { name: 'web', labels: { env: 'prod' } }, n: 20, tags: ['red'] },
]

const names = (filter: string) =>
  arrangeRows(
    resources.map((resource) => ({ resource, derived: {} })),
    { filter },
    readFormat('table(metadata.name:label=SERVICE)'),
  ).map(({ resource }) => (resource as (typeof resources)[number]).metadata.name)

test.each([
  ['metadata.name=hello', ['hello']],
  ['metadata.name:hel', ['hello', 'help-desk']],
  ['metadata.name:HEL*', ['hello', 'help-desk']],
  ['metadata.name:*desk', ['help-desk']],
  ['metadata.name:we*eb', []],
  ['metadata.name!=hello', ['help-desk', 'web']],
  ['-metadata.name=hello', ['help-desk', 'web']],
  ['NOT metadata.name=hello', ['help-desk', 'web']],
  ['metadata.name~^h.*o$', ['hello']],
  ['metadata.name!~^h', ['web']],
  ['n>3', ['help-desk', 'web']],
  ['n>=3 AND n<20', ['hello', 'help-desk']],
  ['n<=3 OR n=20', ['hello', 'web']],
  ['metadata.name:hel n>3', ['help-desk']],
  ['n=3 OR n=10 metadata.name:desk', ['help-desk']],
  ['(n=3 AND tags:blue) OR tags:red', ['hello', 'web']],
  ['metadata.labels.env:*', ['hello', 'web']],
  ['-metadata.labels.env:*', ['help-desk']],
  ['metadata.labels:env', ['hello', 'web']],
  ['metadata.labels.env=(dev, prod)', ['hello', 'web']],
  ['tags:(green red)', ['hello', 'web']],
  ['metadata.name="help-desk"', ['help-desk']],
  ['SERVICE=web', ['web']],
  ['metadata.labels."env"=dev', ['hello']],
  ['tags.len()=2', ['hello']],
  ['nothing.here=1', []],
])('%s', (filter, expected) => {
  expect(names(filter)).toEqual(expected)
})

test.each([
  ['', 'a key is missing'],
  ['name', 'an operator is missing'],
  ['(name=a', '")" is missing'],
  ['name=a )', 'nothing may follow'],
  ['name~[', '"[" is no regular expression'],
  ['name=(a b', '")" is missing'],
])('"%s" is refused', (filter, message) => {
  expect(() => readFilter(filter)).toThrow(message)
})
