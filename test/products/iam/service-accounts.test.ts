import { expect, test } from 'vitest'
import { givenAccount, givenIam, givenKeyFile, projectNumber } from './given-iam.ts'

const api = 'https://iam.googleapis.com/v1'

test('a service account is found by email and unique id, by project id, number and wildcard', async () => {
  await using cloud = await givenIam()
  const made = await cloud.call('POST', `${api}/projects/demo/serviceAccounts`, {
    body: { accountId: 'app-account', serviceAccount: { displayName: 'App' } },
  })
  const email = 'app-account@demo.iam.gserviceaccount.com'
  expect(made.body).toMatchObject({
    name: `projects/demo/serviceAccounts/${email}`,
    projectId: 'demo',
    email,
    displayName: 'App',
    uniqueId: expect.stringMatching(/^\d{21}$/),
  })
  for (const name of [
    `projects/demo/serviceAccounts/${email}`,
    `projects/${projectNumber}/serviceAccounts/${email}`,
    `projects/-/serviceAccounts/${email}`,
    `projects/-/serviceAccounts/${encodeURIComponent(email)}`,
    `projects/-/serviceAccounts/${made.body['uniqueId']}`,
  ]) {
    expect(await cloud.call('GET', `${api}/${name}`)).toEqual({ status: 200, body: made.body })
  }
  expect((await cloud.call('GET', `${api}/projects/other-project/serviceAccounts/${email}`)).status).toBe(404)
})

test('an account id is checked, and taken once', async () => {
  await using cloud = await givenIam()
  await givenAccount(cloud)
  const create = async (accountId: string) =>
    (await cloud.call('POST', `${api}/projects/demo/serviceAccounts`, { body: { accountId } })).status
  expect(await create('short')).toBe(400)
  expect(await create('Upper-case')).toBe(400)
  expect(await create('app-account')).toBe(409)
})

test('a project has its compute account from the start, and lists in pages', async () => {
  await using cloud = await givenIam()
  const first = await cloud.call('GET', `${api}/projects/demo/serviceAccounts`)
  const compute = `${projectNumber}-compute@developer.gserviceaccount.com`
  expect(first.body['accounts']).toMatchObject([{ email: compute, projectId: 'demo' }])
  expect((await cloud.call('GET', `${api}/projects/-/serviceAccounts/${compute}`)).status).toBe(200)
  await givenAccount(cloud)
  const page = await cloud.call('GET', `${api}/projects/demo/serviceAccounts?pageSize=1`)
  const rest = await cloud.call('GET', `${api}/projects/demo/serviceAccounts?pageSize=1&pageToken=${page.body['nextPageToken']}`)
  expect(page.body['accounts']).toMatchObject([{ email: compute }])
  expect(rest.body['accounts']).toMatchObject([{ email: 'app-account@demo.iam.gserviceaccount.com' }])
})

test('patch changes what the mask names and nothing else', async () => {
  await using cloud = await givenIam()
  const name = `projects/demo/serviceAccounts/${await givenAccount(cloud)}`
  const patch = (body: object) => cloud.call('PATCH', `${api}/${name}`, { body })
  const answer = await patch({ serviceAccount: { displayName: 'New', description: 'ignored' }, updateMask: 'displayName' })
  expect(answer.body).toMatchObject({ displayName: 'New' })
  expect(answer.body['description']).toBeUndefined()
  expect((await patch({ serviceAccount: { email: 'x@y' }, updateMask: 'email' })).status).toBe(400)
})

test('a disabled account and a deleted one have no valid tokens; enabled again they are', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const name = `projects/demo/serviceAccounts/${email}`
  const { token } = cloud.tokens.accessToken(email)
  expect((await cloud.call('POST', `${api}/${name}:disable`)).status).toBe(200)
  expect((await cloud.call('GET', `${api}/${name}`, { token })).status).toBe(401)
  expect((await cloud.call('GET', `${api}/${name}`)).body['disabled']).toBe(true)
  await cloud.call('POST', `${api}/${name}:enable`)
  expect((await cloud.call('GET', `${api}/${name}`, { token })).status).toBe(200)
  await cloud.call('DELETE', `${api}/${name}`)
  expect((await cloud.call('GET', `${api}/${name}`)).status).toBe(404)
  expect(cloud.tokens.read(token)).toBeUndefined()
})

test('a key leaves its private half once, and is then listed without it until it is deleted', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const { name, file } = await givenKeyFile(cloud, email)
  expect(file).toMatchObject({
    client_email: email,
    private_key_id: name.split('/').at(-1),
    token_uri: 'https://oauth2.googleapis.com/token',
  })
  const key = await cloud.call('GET', `${api}/${name}?publicKeyType=TYPE_X509_PEM_FILE`)
  expect(key.body).toMatchObject({
    keyAlgorithm: 'KEY_ALG_RSA_2048',
    keyOrigin: 'GOOGLE_PROVIDED',
    keyType: 'USER_MANAGED',
    validBeforeTime: '9999-12-31T23:59:59Z',
  })
  expect(Buffer.from(String(key.body['publicKeyData']), 'base64').toString()).toContain('BEGIN CERTIFICATE')
  expect(key.body['privateKeyData']).toBeUndefined()
  const list = () => cloud.call('GET', `${api}/projects/demo/serviceAccounts/${email}/keys?keyTypes=USER_MANAGED`)
  expect((await list()).body['keys']).toMatchObject([{ name }])
  await cloud.call('DELETE', `${api}/${name}`)
  expect((await list()).body['keys']).toBeUndefined()
})

test('the policy of a deleted account does not come back with a new one of its name', async () => {
  await using cloud = await givenIam()
  const name = `projects/demo/serviceAccounts/${await givenAccount(cloud)}`
  const policy = { bindings: [{ role: 'roles/iam.serviceAccountUser', members: ['user:you@devcloud.local'] }] }
  await cloud.call('POST', `${api}/${name}:setIamPolicy`, { body: { policy } })
  const read = () => cloud.call('POST', `${api}/${name}:getIamPolicy?options.requestedPolicyVersion=3`)
  expect((await read()).body).toMatchObject(policy)
  expect((await cloud.call('DELETE', `${api}/${name}`)).status).toBe(200)
  expect((await read()).status).toBe(404)
  await givenAccount(cloud)
  expect((await read()).body['bindings']).toBeUndefined()
})

test('what is not emulated is refused by name', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  for (const [method, path] of [
    ['POST', `projects/demo/serviceAccounts/${email}/keys:upload`],
    ['POST', `projects/demo/serviceAccounts/${email}:undelete`],
    ['GET', 'roles'],
  ] as const) {
    const answer = await cloud.call(method, `${api}/${path}`)
    expect([answer.status, answer.body['error']?.['status']]).toEqual([400, 'UNIMPLEMENTED'])
  }
})

test('an account that is made again is another one: neither keys, tokens, policy nor bindings of the one before are its own', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const name = `projects/demo/serviceAccounts/${email}`
  const unique = async () => String((await cloud.call('GET', `${api}/${name}`)).body['uniqueId'])
  const before = await unique()
  await givenKeyFile(cloud, email)
  const { token } = cloud.tokens.accessToken(email)
  const refresh = cloud.tokens.refreshToken(email)
  const idToken = await cloud.tokens.idToken(email, 'https://hello.a.run.app')
  expect(cloud.tokens.readIdToken(idToken)?.subject).toBe(before)
  const binding = { role: 'roles/run.invoker', members: [`serviceAccount:${email}`] }
  const project = 'https://cloudresourcemanager.googleapis.com/v1/projects/demo'
  await cloud.call('POST', `${project}:setIamPolicy`, { body: { policy: { bindings: [binding] } } })
  await cloud.call('POST', `${api}/${name}:setIamPolicy`, { body: { policy: { bindings: [binding] } } })

  await cloud.call('DELETE', `${api}/${name}`)
  const deleted = `deleted:serviceAccount:${email}?uid=${before}`
  const read = async () => (await cloud.call('POST', `${project}:getIamPolicy`, { body: {} })).body
  expect(await read()).toMatchObject({ bindings: [{ members: [deleted] }] })

  await givenAccount(cloud)
  expect(await unique()).not.toBe(before)
  expect(await read()).toMatchObject({ bindings: [{ members: [deleted] }] })
  expect((await cloud.call('POST', `${api}/${name}:getIamPolicy`, { body: {} })).body['bindings']).toBeUndefined()
  expect((await cloud.call('GET', `${api}/${name}/keys?keyTypes=USER_MANAGED`)).body['keys']).toBeUndefined()
  expect([cloud.tokens.read(token), cloud.tokens.inspect(refresh), cloud.tokens.readIdToken(idToken)]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(cloud.tokens.read(cloud.tokens.accessToken(email).token)).toEqual({ email })
})

test('members that are none are refused, and everybody is no member of a project', async () => {
  await using cloud = await givenIam()
  const set = (member: string) =>
    cloud.call('POST', 'https://cloudresourcemanager.googleapis.com/v1/projects/demo:setIamPolicy', {
      body: { policy: { bindings: [{ role: 'roles/viewer', members: [member] }] } },
    })
  expect(await set('nobody')).toMatchObject({ status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } })
  expect(await set('allUsers')).toMatchObject({ status: 400 })
  expect(await set('user:a@example.com')).toMatchObject({ status: 200 })
})
