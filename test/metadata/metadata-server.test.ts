import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { account, givenClock, givenMetadata, instanceId } from './given-metadata.ts'

test('run trap 48: without the header every path is 403, and answers carry it', async () => {
  await using metadata = await givenMetadata()
  const refused = await metadata.get('project/project-id', {})
  expect(refused.status).toBe(403)
  expect(refused.headers.get('content-type')).not.toContain('html')
  const answered = await metadata.get('project/project-id')
  expect(answered.headers.get('metadata-flavor')).toBe('Google')
  expect(answered.headers.get('server')).toBe('Metadata Server for VM')
})

test('the root answers 200 without the header, as probes of clients expect', async () => {
  await using metadata = await givenMetadata()
  const answer = await fetch(`http://${metadata.host}/`)
  expect([answer.status, answer.headers.get('metadata-flavor')]).toEqual([200, 'Google'])
})

test('a request that a proxy passed on is 403, even at the root', async () => {
  await using metadata = await givenMetadata()
  const forwarded = { 'Metadata-Flavor': 'Google', 'X-Forwarded-For': '10.0.0.1' }
  expect((await metadata.get('project/project-id', forwarded)).status).toBe(403)
  expect((await fetch(`http://${metadata.host}/`, { headers: forwarded })).status).toBe(403)
})

test('run trap 48: zone is R-1, region and zone have the project number, texts have no line end', async () => {
  await using metadata = await givenMetadata()
  expect(await metadata.text('instance/region')).toBe('projects/123456789012/regions/us-central1')
  expect(await metadata.text('instance/zone')).toBe('projects/123456789012/zones/us-central1-1')
  expect(await metadata.text('instance/id')).toBe(instanceId)
  expect(await metadata.text('project/project-id')).toBe('demo')
  expect(await metadata.text('project/numeric-project-id')).toBe('123456789012')
  expect(await metadata.text('universe/universe-domain')).toBe('googleapis.com')
  expect(await metadata.text('instance/service-accounts/default/email')).toBe(account)
  expect(await metadata.text('instance/service-accounts/default/aliases')).toBe('default\n')
  expect(await metadata.text('instance/service-accounts/default/scopes')).toContain('https://www.googleapis.com/auth/cloud-platform\n')
  expect(await metadata.text('project/project-id?alt=json')).toBe('"demo"')
})

test('directories are listed, redirected to their slash, and told whole when recursive', async () => {
  await using metadata = await givenMetadata()
  expect(await metadata.text('instance/service-accounts/')).toBe(`${account}/\ndefault/\n`)
  const redirect = await metadata.get('instance?alt=text')
  expect([redirect.status, redirect.headers.get('location')]).toEqual([301, '/computeMetadata/v1/instance/?alt=text'])
  const recursive = await metadata.get('?recursive=true')
  expect(recursive.headers.get('content-type')).toContain('application/json')
  expect(await recursive.json()).toMatchObject({
    instance: { id: instanceId, serviceAccounts: { default: { email: account, aliases: ['default'] }, [account]: { email: account } } },
    project: { projectId: 'demo', numericProjectId: 123456789012 },
    universe: { universeDomain: 'googleapis.com' },
  })
  expect(await metadata.text('instance/service-accounts/?recursive=true&alt=text')).toContain(`default/email ${account}\n`)
})

test('an unknown path and the account of another are 404 in plain words', async () => {
  await using metadata = await givenMetadata()
  for (const path of ['instance/attributes/cluster-name', 'instance/service-accounts/other@demo.iam.gserviceaccount.com/token', '%zz']) {
    const answer = await metadata.get(path)
    expect([answer.status, answer.headers.get('metadata-flavor')]).toEqual([404, 'Google'])
    expect(await answer.text()).not.toContain('<')
  }
})

test('wait_for_change is refused by name', async () => {
  await using metadata = await givenMetadata()
  const answer = await metadata.get('instance/?recursive=true&wait_for_change=true')
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('wait_for_change')
})

test('sql trap 33: expires_in counts down, and a new token comes in the last five minutes', async () => {
  const clock = givenClock()
  await using metadata = await givenMetadata({ clock })
  const token = async () => (await (await metadata.get('instance/service-accounts/default/token')).json()) as Record<string, unknown>
  const first = await token()
  expect(first).toMatchObject({ expires_in: 3599, token_type: 'Bearer', access_token: expect.stringMatching(/^ya29\./) })
  clock.advance(1_000_000)
  expect(await token()).toEqual({ ...first, expires_in: 2599 })
  clock.advance(2_300_000)
  const second = await token()
  expect(second['access_token']).not.toBe(first['access_token'])
  expect(second['expires_in']).toBe(3599)
  clock.advance(300_000)
  expect(metadata.tokens.read(String(first['access_token']))).toBeUndefined()
  expect(metadata.tokens.read(String(second['access_token']))).toEqual({ email: account })
})

test('token takes scopes, joined by commas or spaces', async () => {
  await using metadata = await givenMetadata()
  const answer = await metadata.get(`instance/service-accounts/${account}/token?scopes=https://a.test/x,https://a.test/y`)
  const { access_token: token } = (await answer.json()) as { access_token: string }
  expect(metadata.tokens.inspect(token)?.scopes).toEqual(['https://a.test/x', 'https://a.test/y'])
})

test('identity without an audience is 400, and each audience gets a token of its own', async () => {
  await using metadata = await givenMetadata()
  expect((await metadata.get('instance/service-accounts/default/identity')).status).toBe(400)
  const keys = createLocalJWKSet(metadata.tokens.jwks())
  for (const audience of ['https://a.example', 'https://b.example']) {
    const token = await metadata.text(`instance/service-accounts/default/identity?audience=${encodeURIComponent(audience)}`)
    const { payload } = await jwtVerify(token, keys, { audience, issuer: 'https://accounts.google.com' })
    expect(payload).toMatchObject({ email: account, email_verified: true, azp: payload.sub, sub: expect.stringMatching(/^\d{21}$/) })
    expect(payload['google']).toBeUndefined()
  }
  const full = await metadata.text('instance/service-accounts/default/identity?audience=x&format=full')
  const { payload } = await jwtVerify(full, keys)
  expect(payload['google']).toEqual({
    compute_engine: { project_id: 'demo', project_number: 123456789012, zone: 'us-central1-1', instance_id: instanceId },
  })
})

test('sql trap 31, run trap 49: two instances see two accounts', async () => {
  await using one = await givenMetadata({ email: 'one@demo.iam.gserviceaccount.com' })
  await using two = await givenMetadata({ email: 'two@demo.iam.gserviceaccount.com' })
  expect(await one.text('instance/service-accounts/default/email')).toBe('one@demo.iam.gserviceaccount.com')
  expect(await two.text('instance/service-accounts/default/email')).toBe('two@demo.iam.gserviceaccount.com')
})
