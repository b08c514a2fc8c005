import { expect, test } from 'vitest'
import { instanceSteps } from '../../../src/products/sql/plan.ts'

const from = { file: 'devcloud.yaml', line: 3, column: 1 }
const user = { name: 'app', password: '', passwordSecret: 'db-password' }
const main = { id: 'main', from, databaseVersion: 'POSTGRES_15', databases: ['app', 'more'], users: [user] }

test('an instance is created from its line, gets what it lacks, or is kept; it comes after the secrets of its passwords', () => {
  const causeWith = (lacks?: readonly string[]) =>
    instanceSteps({ instances: [main] }, new Map(lacks === undefined ? [] : [['main', { lacks }]]))[0]?.cause
  expect(causeWith()).toBe('created: devcloud.yaml:3')
  expect(causeWith(['database more', 'user app'])).toBe('adds database more, user app')
  expect(causeWith([])).toBeUndefined()
  expect(instanceSteps({ instances: [main] }, new Map())[0]?.after).toEqual(['secret:db-password'])
})
