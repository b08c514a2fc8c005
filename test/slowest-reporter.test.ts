import { expect, test } from 'vitest'
import { slowestText } from './slowest-reporter.ts'

test('a run ends with its twenty slowest files and tests, the slowest first, and with what passed when tried again', () => {
  const files = Array.from({ length: 30 }, (_, index) => ({ ms: index * 1000, text: `test/file-${index}.test.ts` }))
  const cases = [
    { ms: 12_345, text: 'test/a.test.ts: waits' },
    { ms: 999, text: 'test/a.test.ts: is quick' },
  ]
  const text = slowestText({ files, cases, flaky: ['test/b.test.ts: is lucky'] })
  expect(text.match(/file-\d+/g)).toEqual(Array.from({ length: 20 }, (_, index) => `file-${29 - index}`))
  expect(text).toContain('\n Slowest tests\n    12.3 s test/a.test.ts: waits\n\n')
  expect(text).not.toContain('is quick')
  expect(text).toMatch(/Passed when tried again\n +test\/b.test.ts: is lucky\n$/)
})

test('a quick run ends without a list', () => {
  expect(slowestText({ files: [{ ms: 10, text: 'test/a.test.ts' }], cases: [], flaky: [] })).toBe('')
})
