import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { GoogleAuth, Impersonated, OAuth2Client } from 'google-auth-library'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { createPublicKey, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { IAMCredentials } from '../../../src/api/gen/google/iam/credentials/v1/iamcredentials_pb.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { openTokens } from '../../../src/metadata/tokens.ts'
import { iam } from '../../../src/products/iam/index.ts'
import { openBorders } from '../../../src/api/borders.ts'
import { givenApi, givenState } from '../../api/given-api.ts'
import { admin, givenAccount, givenIam, type GivenIam } from './given-iam.ts'

const api = 'https://iamcredentials.googleapis.com/v1'

/** Google's client, which fetches our certificates when it verifies. */
function givenVerifier(cloud: GivenIam): OAuth2Client {
  return new OAuth2Client({
    endpoints: { oauth2FederatedSignonPemCertsUrl: `${cloud.url}/oauth2/v1/certs`, tokenInfoUrl: `${cloud.url}/tokeninfo` },
  })
}

function givenImpersonated(cloud: GivenIam, targetPrincipal: string): Impersonated {
  const sourceClient = new OAuth2Client()
  sourceClient.setCredentials({ access_token: cloud.tokens.accessToken(admin).token })
  return new Impersonated({
    sourceClient,
    targetPrincipal,
    targetScopes: ['https://www.googleapis.com/auth/cloud-platform'],
    lifetime: 600,
    endpoint: cloud.url,
  })
}

test("Google's impersonated client gets an access token that tokeninfo knows", async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const { token } = await givenImpersonated(cloud, email).getAccessToken()
  expect(cloud.tokens.read(token ?? '')).toEqual({ email })
  expect(await givenVerifier(cloud).getTokenInfo(token ?? '')).toMatchObject({
    email,
    scopes: ['https://www.googleapis.com/auth/cloud-platform'],
  })
})

test('sql trap 34: an ID token verifies with google-auth against our certs URL, for its audience alone', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const idToken = await givenImpersonated(cloud, email).fetchIdToken('https://service.example', { includeEmail: true })
  const verifier = givenVerifier(cloud)
  const ticket = await verifier.verifyIdToken({ idToken, audience: 'https://service.example' })
  expect(ticket.getPayload()).toMatchObject({ iss: 'https://accounts.google.com', email, email_verified: true })
  await expect(verifier.verifyIdToken({ idToken, audience: 'https://other.example' })).rejects.toThrow('Wrong recipient')
})

test('generateIdToken takes what Python and Java send: text for booleans, and a form', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const fields = { audience: 'a', includeEmail: 'true', useEmailAzp: 'true' }
  for (const body of [fields, new URLSearchParams(fields)]) {
    const answer = await cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:generateIdToken`, { body })
    const ticket = await givenVerifier(cloud).verifyIdToken({ idToken: String(answer.body['token']), audience: 'a' })
    expect(ticket.getPayload()).toMatchObject({ email, azp: email })
  }
  const body = { ...fields, delegates: null } // gcloud auth print-identity-token --impersonate-service-account
  expect((await cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:generateIdToken`, { body })).status).toBe(200)
})

test('an ID token without includeEmail says no email', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const { body } = await cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:generateIdToken`, { body: { audience: 'a' } })
  const ticket = await givenVerifier(cloud).verifyIdToken({ idToken: String(body['token']), audience: 'a' })
  expect(ticket.getPayload()?.email).toBeUndefined()
})

test('signBlob and signJwt sign with the key that the robot address publishes', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const payload = Buffer.from('to be signed')
  const blob = await cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:signBlob`, {
    body: { payload: payload.toString('base64') },
  })
  const published = await cloud.call('GET', `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`, {
    token: null,
  })
  const key = createPublicKey(String(published.body[String(blob.body['keyId'])]))
  expect(verify('sha256', payload, key, Buffer.from(String(blob.body['signedBlob']), 'base64'))).toBe(true)
  const claims = JSON.stringify({ iss: email, custom: 1 })
  const jwt = await cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:signJwt`, { body: { payload: claims } })
  const [head = '', body = '', signature = ''] = String(jwt.body['signedJwt']).split('.')
  expect(Buffer.from(body, 'base64url').toString()).toBe(claims)
  expect(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
  const auth = new GoogleAuth({ authClient: givenImpersonated(cloud, email) })
  expect(await auth.sign('to be signed', cloud.url.concat('/v1/projects/-/serviceAccounts/'))).toBe(String(blob.body['signedBlob']))
})

test('an account that nobody created is not found, unless it speaks for itself', async () => {
  await using cloud = await givenIam()
  const ask = (email: string) =>
    cloud.call('POST', `${api}/projects/-/serviceAccounts/${email}:generateAccessToken`, { body: { scope: ['a'], lifetime: '60s' } })
  expect((await ask('nobody@demo.iam.gserviceaccount.com')).status).toBe(404)
  expect((await ask(admin)).status).toBe(200)
})

test('sql trap 41: over gRPC the same answers and the same words of errors', async () => {
  await using state = givenState()
  const tokens = await openTokens({ state, clock: systemClock })
  const project = (id: string) => ({ id, number: '123456789012' })
  await using api = await givenApi(
    iam({
      state,
      clock: systemClock,
      tokens,
      project,
      apis: {},
      borders: () => openBorders({ project, policy: () => undefined, emailOfAccount: () => undefined }),
    }),
  )
  const client = createClient(IAMCredentials, createGrpcTransport({ baseUrl: api.url }))
  const name = 'projects/-/serviceAccounts/123456789012-compute@developer.gserviceaccount.com'
  const { token } = await client.generateIdToken({ name, audience: 'a', includeEmail: true })
  const { payload } = await jwtVerify(token, createLocalJWKSet(tokens.jwks()), { audience: 'a' })
  expect(payload['email']).toBe('123456789012-compute@developer.gserviceaccount.com')
  await expect(client.generateIdToken({ name: name.replace('compute', 'nobody'), audience: 'a' })).rejects.toThrow('Gaia id not found')
})

test('a token without scopes, for longer than an hour, or by a project is refused', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const ask = async (project: string, body: object) =>
    (await cloud.call('POST', `${api}/projects/${project}/serviceAccounts/${email}:generateAccessToken`, { body })).status
  expect(await ask('-', {})).toBe(400)
  expect(await ask('-', { scope: ['a'], lifetime: '3601s' })).toBe(400)
  expect(await ask('demo', { scope: ['a'] })).toBe(400)
  expect(await ask('-', { scope: ['a'], lifetime: '3600s' })).toBe(200)
})

test('allowedLocations, which google-auth asks in the background, is answered at once', async () => {
  await using cloud = await givenIam()
  const answer = await cloud.call('GET', `${api}/projects/-/serviceAccounts/${admin}/allowedLocations`)
  expect(answer).toEqual({ status: 200, body: { locations: [], encodedLocations: '0x0' } })
})
