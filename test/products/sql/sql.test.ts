import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenHome, project, type GivenSql } from './given-sql.ts'

const home = givenHome()
let sql: GivenSql

beforeAll(async () => {
  sql = await home.start()
})

afterAll(async () => {
  await sql[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const instances = `${project}/instances`
const wanted = (name: string, more: object = {}) => ({
  name,
  region: 'us-central1',
  databaseVersion: 'POSTGRES_15',
  settings: { tier: 'db-f1-micro' },
  ...more,
})

test('an app finds its database and user by the socket, once the API made them', async () => {
  const created = await sql.run('POST', instances, wanted('main'))
  expect(created).toMatchObject({
    kind: 'sql#operation',
    operationType: 'CREATE',
    status: 'DONE',
    targetId: 'main',
    targetProject: 'p',
    user: 'you@devcloud.local',
  })
  expect(created).not.toHaveProperty('error')
  expect(await sql.run('POST', `${instances}/main/databases`, { name: 'app' })).toMatchObject({ operationType: 'CREATE_DATABASE' })
  expect(await sql.run('POST', `${instances}/main/users`, { name: 'app', password: 'pw' })).toMatchObject({ operationType: 'CREATE_USER' })
  const client = await sql.connect('main', 'app', 'pw', 'app')
  await client.query('CREATE TABLE t (id int)')
  await client.query('INSERT INTO t VALUES (1)')
  await client.end()
})
