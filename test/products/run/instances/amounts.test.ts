import { expect, test } from 'vitest'
import { readBytes, readCpus } from '../../../../src/products/run/instances/amounts.ts'

test('amounts are read as Kubernetes writes them', () => {
  expect([readCpus('500m'), readCpus('2'), readBytes('512Mi'), readBytes('1G')]).toEqual([0.5, 2, 536_870_912, 1e9])
  expect(() => readBytes('lots')).toThrow('is not an amount of memory')
})
