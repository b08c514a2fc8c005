import http from 'node:http'
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

test('an instance is answered with the fields that clients read, and with the truth about its server', async () => {
  const { body } = await sql.call('GET', `${instances}/main`)
  expect(body).toMatchObject({
    kind: 'sql#instance',
    name: 'main',
    state: 'RUNNABLE',
    backendType: 'SECOND_GEN',
    connectionName: 'p:us-central1:main',
    databaseVersion: 'POSTGRES_15',
    databaseInstalledVersion: expect.stringMatching(/^POSTGRES_18_\d+$/),
    gceZone: 'us-central1-a',
    settings: { activationPolicy: 'ALWAYS', dataDiskSizeGb: '10', tier: 'db-f1-micro', settingsVersion: '1', storageAutoResizeLimit: '0' },
  })
  expect(body).not.toHaveProperty('ipAddresses')
  expect(await sql.call('GET', '/sql/v1/projects/p/instances/main')).toEqual({ status: 200, body })
  expect(await sql.call('GET', '/v1/projects/123456789012/instances/us-central1~main?fields=name&alt=json&key=k')).toEqual({
    status: 200,
    body,
  })
  expect((await sql.call('GET', instances)).body).toEqual({ kind: 'sql#instancesList', items: [body] })
  expect(await sql.product.list('p')).toEqual([
    { kind: 'sql', id: 'main', state: 'RUNNABLE', detail: expect.stringMatching(/^POSTGRES_15 runs as PostgreSQL 18\.\d+ here$/) },
  ])
})

test('sql trap 11: a second instance of a name is refused with the reason that Terraform stops at', async () => {
  const again = await sql.call('POST', instances, wanted('main'))
  expect(again).toMatchObject({ status: 409, body: { error: { code: 409, errors: [{ reason: 'instanceAlreadyExists' }] } } })
})

test('an instance that is not there is 404 instanceDoesNotExist', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/databases'],
    ['GET', '/users'],
    ['POST', '/restart'],
  ] as const) {
    expect(await sql.call(method, `${instances}/none${path}`)).toMatchObject({
      status: 404,
      body: {
        error: {
          message: 'The Cloud SQL instance does not exist.',
          errors: [{ domain: 'global', reason: 'instanceDoesNotExist' }],
        },
      },
    })
  }
  await expect(sql.product.socketDirectory('p:us-central1:none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(sql.product.socketDirectory('p:europe-west1:main')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a restart keeps data', async () => {
  expect(await sql.run('POST', `${instances}/main/restart`)).toMatchObject({ operationType: 'RESTART', status: 'DONE' })
  const client = await sql.connect('main', 'app', 'pw', 'app')
  expect((await client.query('SELECT id FROM t')).rows).toEqual([{ id: 1 }])
  await client.end()
})

test('sql trap 12: users are deleted with an empty host and an encoded address', async () => {
  await sql.run('POST', `${instances}/main/users`, { name: 'a@b.iam', password: 'x', host: '%' })
  const { body } = await sql.call('GET', `${instances}/main/users`)
  const user = (name: string) => ({
    kind: 'sql#user',
    name,
    host: '',
    project: 'p',
    instance: 'main',
    type: 'BUILT_IN',
    etag: expect.any(String),
  })
  expect(body).toEqual({ kind: 'sql#usersList', items: [user('a@b.iam'), user('app'), user('postgres')] })
  expect((await sql.call('GET', `${instances}/main/users/a%40b.iam`)).body).toEqual(user('a@b.iam'))
  expect(await sql.run('DELETE', `${instances}/main/users?host=&name=a%40b.iam`)).toMatchObject({ operationType: 'DELETE_USER' })
  expect((await sql.call('GET', `${instances}/main/users/a%40b.iam`)).status).toBe(404)
})

test('sql trap 13: no password is answered anywhere', async () => {
  await sql.run('POST', instances, wanted('rooted', { rootPassword: 'root-secret' }))
  await (await sql.connect('rooted', 'postgres', 'root-secret')).end()
  await sql.run('PATCH', `${instances}/rooted`, { rootPassword: 'other-secret' })
  await (await sql.connect('rooted', 'postgres', 'other-secret')).end()
  for (const path of [`${instances}/rooted`, `${instances}/rooted/users`, `${project}/operations`]) {
    const text = JSON.stringify((await sql.call('GET', path)).body)
    expect(text).not.toContain('secret')
    expect(text).not.toContain('assword')
  }
})

test('sql trap 24: a password that was changed by the API no longer opens a session', async () => {
  await sql.run('POST', `${instances}/main/users`, { name: 'u', password: 'old' })
  const client = await sql.connect('main', 'u', 'old')
  expect(await sql.run('PUT', `${instances}/main/users?name=u&host=`, { name: 'u', password: 'new' })).toMatchObject({
    operationType: 'UPDATE_USER',
  })
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await client.end()
  await expect(sql.connect('main', 'u', 'old')).rejects.toThrow('password authentication failed')
  await (await sql.connect('main', 'u', 'new')).end()
  expect((await sql.call('PUT', `${instances}/main/users?name=none`, { password: 'x' })).status).toBe(404)
})

test('a user who owns tables stays, and the answer says why', async () => {
  expect(await sql.call('DELETE', `${instances}/main/users?name=app`)).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringMatching(/failed to delete user app: .*cannot be dropped/), errors: [{ reason: 'invalid' }] } },
  })
})

test('users and databases of kinds that are not emulated are refused by name', async () => {
  for (const [path, body, word] of [
    ['users', { name: 'a@b.c', type: 'CLOUD_IAM_USER' }, 'CLOUD_IAM_USER'],
    ['users', { name: 'a', databaseRoles: ['pg_monitor'] }, 'pg_monitor'],
    ['databases', { name: 'd', charset: 'LATIN1' }, 'LATIN1'],
    ['databases', { name: 'd', collation: 'de_DE.UTF8' }, 'de_DE.UTF8'],
  ] as const) {
    expect(await sql.call('POST', `${instances}/main/${path}`, body)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining(word) } },
    })
  }
  expect((await sql.call('POST', `${instances}/main/users`, { name: 'cloudsqladmin' })).status).toBe(400)
})

test('databases are listed with charset and collation, and dropped though a session is in them', async () => {
  await sql.run('POST', `${instances}/main/databases`, { name: 'gone', charset: 'UTF8', collation: 'en_US.UTF8' })
  const database = { kind: 'sql#database', name: 'gone', charset: 'UTF8', collation: 'en_US.UTF8', instance: 'main', project: 'p' }
  expect((await sql.call('GET', `${instances}/main/databases/gone`)).body).toMatchObject(database)
  const { body } = await sql.call('GET', `${instances}/main/databases`)
  expect(body).toMatchObject({ kind: 'sql#databasesList', items: [{ name: 'app' }, { name: 'gone' }, { name: 'postgres' }] })
  expect(await sql.call('POST', `${instances}/main/databases`, { name: 'gone' })).toMatchObject({
    status: 400,
    body: { error: { message: 'Invalid request: failed to create database gone. Detail: pq: database "gone" already exists.' } },
  })
  expect(await sql.run('PATCH', `${instances}/main/databases/gone`, { charset: 'UTF8' })).toMatchObject({
    operationType: 'UPDATE_DATABASE',
  })
  const client = await sql.connect('main', 'u', 'new', 'gone')
  expect(await sql.run('DELETE', `${instances}/main/databases/gone`)).toMatchObject({ operationType: 'DELETE_DATABASE' })
  await client.end().catch(() => {})
  expect(await sql.call('GET', `${instances}/main/databases/gone`)).toMatchObject({
    status: 404,
    body: { error: { message: 'Not Found' } },
  })
})

test('sql trap 40: methods that are not emulated are refused by name', async () => {
  for (const [method, path, name] of [
    ['POST', '/main/clone', 'sql.instances.clone'],
    ['POST', '/main/export', 'sql.instances.export'],
    ['POST', '/main/import', 'sql.instances.import'],
    ['POST', '/main/failover', 'sql.instances.failover'],
    ['POST', '/main/backupRuns', 'sql.backupRuns.insert'],
    ['GET', '/main/connectSettings', 'sql.connect.get'],
    ['POST', '/main:generateEphemeralCert', 'sql.connect.generateEphemeralCert'],
  ] as const) {
    expect(await sql.call(method, instances + path, method === 'POST' ? {} : undefined)).toMatchObject({
      status: 400,
      body: { error: { message: `devcloud does not emulate ${name}.`, errors: [{ reason: 'notImplemented' }] } },
    })
  }
  expect((await sql.call('GET', `${instances}/main/nonsense`)).status).toBe(400)
})

test('tiers and flags are listed', async () => {
  const tiers = (await sql.call('GET', `${project}/tiers`)).body['items']
  expect(tiers).toContainEqual(expect.objectContaining({ kind: 'sql#tier', tier: 'db-f1-micro', RAM: expect.stringMatching(/^\d+$/) }))
  const flags = (await sql.call('GET', '/sql/v1beta4/flags')).body['items']
  expect(flags).toContainEqual(
    expect.objectContaining({ kind: 'sql#flag', name: 'max_connections', type: 'INTEGER', requiresRestart: true }),
  )
})

test('on its own host a call without a token is refused in the form that clients read', async () => {
  const options = { port: sql.port, path: instances, headers: { host: 'sqladmin.googleapis.com' } }
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => http.get(options, resolve).once('error', reject))
  const body: unknown = JSON.parse((await response.toArray()).join(''))
  expect(response.statusCode).toBe(401)
  expect(body).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED', errors: [{ domain: 'global', reason: 'required' }] } })
})

test('lists of instances come in pages', async () => {
  const first = (await sql.call('GET', `${instances}?maxResults=1`)).body
  expect(first['items']).toMatchObject([{ name: 'main' }])
  const rest = (await sql.call('GET', `${instances}?pageToken=${String(first['nextPageToken'])}`)).body
  expect(rest).toMatchObject({ items: [{ name: 'rooted' }] })
  expect(rest).not.toHaveProperty('nextPageToken')
  expect((await sql.call('GET', `${project}/operations?pageToken=bm9uZQ`)).status).toBe(400)
})

test('F49: out of connections, an app sees the FATAL of Postgres, and the API still works by the connections that are reserved', async () => {
  await sql.run('POST', instances, wanted('crowded'))
  await sql.run('POST', `${instances}/crowded/users`, { name: 'app', password: 'pw' })
  const tried = await Promise.allSettled(Array.from({ length: 215 }, () => sql.connect('crowded', 'app', 'pw', 'postgres')))
  const refused = tried.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as { readonly code?: string; readonly message: string }] : [],
  )
  expect(refused.length).toBeGreaterThanOrEqual(15) // 200 are the most
  expect(refused.map(({ code }) => code)).toEqual(refused.map(() => '53300'))
  expect(refused[0]?.message).toMatch(/too many (connections|clients)|remaining connection slots are reserved/)
  expect(await sql.run('POST', `${instances}/crowded/databases`, { name: 'more' })).not.toHaveProperty('error')
  expect((await sql.call('GET', `${instances}/crowded/users`)).status).toBe(200)
  for (const one of tried) if (one.status === 'fulfilled') await one.value.end()
})
