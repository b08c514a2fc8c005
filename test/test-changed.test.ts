import { expect, test } from 'vitest'
import { testsOf } from './test-changed.ts'

test('the tests of a change are those of its rooms, each once, and a changed test; what is of no room is told', () => {
  const { tests, roomless } = testsOf([
    'src/router/pool/pool.ts',
    'src/router/router.ts',
    'src/products/run/needs.ts',
    'test/products/sql/sql.test.ts',
    'test/router/h2/h2spec.test.ts',
    'test/engine/given-way.ts',
    'examples/guestbook/app.mjs',
    'test/architecture.test.ts',
    'test/base-images.ts',
    'package.json',
  ])
  expect(tests).toEqual([
    'test/architecture.test.ts',
    'test/engine/',
    'test/examples/',
    'test/products/run/',
    'test/products/sql/sql.test.ts',
    'test/router/',
  ])
  expect(roomless).toEqual(['test/base-images.ts', 'package.json'])
})
