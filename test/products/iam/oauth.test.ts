import { JWT, OAuth2Client, UserRefreshClient } from 'google-auth-library'
import { expect, test } from 'vitest'
import { givenAccount, givenIam, givenKeyFile, type GivenIam, type KeyFile } from './given-iam.ts'

const tokenUrl = 'https://oauth2.googleapis.com/token'
const scope = 'https://www.googleapis.com/auth/cloud-platform'

/** The assertion that Google's client makes of a key file. */
async function givenAssertion(file: KeyFile, claims: Record<string, string>): Promise<string> {
  const { subtle } = crypto
  const der = Buffer.from(file.private_key.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const key = await subtle.importKey('pkcs8', der, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
  const now = Math.floor(Date.now() / 1000)
  const parts = [{ alg: 'RS256' }, { iss: file.client_email, aud: tokenUrl, iat: now, exp: now + 3600, ...claims }]
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = await subtle.sign('RSASSA-PKCS1-v1_5', key, Buffer.from(text))
  return `${text}.${Buffer.from(signature).toString('base64url')}`
}

function exchange(cloud: GivenIam, assertion: string) {
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  return cloud.call('POST', tokenUrl, { body, token: null })
}

test('the assertion of a key file gives an access token for a scope, an ID token for an audience', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const { file } = await givenKeyFile(cloud, email)
  const access = await exchange(cloud, await givenAssertion(file, { scope }))
  expect(access.body).toMatchObject({ expires_in: 3599, token_type: 'Bearer' })
  expect(cloud.tokens.read(String(access.body['access_token']))).toEqual({ email })
  const identity = await exchange(cloud, await givenAssertion(file, { target_audience: 'https://service.example' }))
  const verifier = new OAuth2Client({ endpoints: { oauth2FederatedSignonPemCertsUrl: `${cloud.url}/oauth2/v1/certs` } })
  const ticket = await verifier.verifyIdToken({ idToken: String(identity.body['id_token']), audience: 'https://service.example' })
  expect(ticket.getPayload()?.email).toBe(email)
})

test('sql trap 36: after its key is deleted, an assertion is refused and a self-signed token is 401', async () => {
  await using cloud = await givenIam()
  const email = await givenAccount(cloud)
  const { name, file } = await givenKeyFile(cloud, email)
  const client = new JWT({ email, key: file.private_key, keyId: file.private_key_id })
  const headers = await client.getRequestHeaders('https://iam.googleapis.com/')
  const token = (headers.get('authorization') ?? '').replace('Bearer ', '')
  const read = () => cloud.call('GET', `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${email}`, { token })
  expect((await read()).status).toBe(200)
  await cloud.call('DELETE', `https://iam.googleapis.com/v1/${name}`)
  expect((await read()).status).toBe(401)
  const refused = await exchange(cloud, await givenAssertion(file, { scope }))
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('an assertion for another endpoint, another subject or no purpose is refused', async () => {
  await using cloud = await givenIam()
  const { file } = await givenKeyFile(cloud, await givenAccount(cloud))
  const error = async (claims: Record<string, string>) => (await exchange(cloud, await givenAssertion(file, claims))).body['error']
  expect(await error({ scope, aud: 'https://storage.googleapis.com/' })).toBe('invalid_grant')
  expect(await error({ scope, sub: 'boss@example.com' })).toBe('unauthorized_client')
  expect(await error({})).toBe('invalid_scope')
})

test("a refresh token gives the local user's tokens until it is revoked", async () => {
  await using cloud = await givenIam()
  const refreshToken = cloud.tokens.refreshToken('you@devcloud.local')
  const client = new UserRefreshClient({
    clientId: 'any',
    clientSecret: 'any',
    refreshToken,
    endpoints: { oauth2TokenUrl: `${cloud.url}/token`, tokenInfoUrl: `${cloud.url}/tokeninfo` },
  })
  const { token } = await client.getAccessToken()
  expect(await client.getTokenInfo(token ?? '')).toMatchObject({ email: 'you@devcloud.local' })
  const revoked = await cloud.call('POST', 'https://oauth2.googleapis.com/revoke', {
    body: new URLSearchParams({ token: refreshToken }),
    token: null,
  })
  expect(revoked.status).toBe(200)
  const body = { grant_type: 'refresh_token', refresh_token: refreshToken }
  expect(await cloud.call('POST', tokenUrl, { body, token: null })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('other grants are refused by name, foreign tokens are unknown to tokeninfo', async () => {
  await using cloud = await givenIam()
  const other = await cloud.call('POST', tokenUrl, { body: new URLSearchParams({ grant_type: 'authorization_code' }), token: null })
  expect(other).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } })
  expect(String(other.body['error_description'])).toContain('authorization_code')
  const info = await cloud.call('GET', 'https://oauth2.googleapis.com/tokeninfo?access_token=ya29.x', { token: null })
  expect(info).toMatchObject({ status: 400, body: { error: 'invalid_token' } })
})

test('tokeninfo tells the claims of an ID token, userinfo who calls', async () => {
  await using cloud = await givenIam()
  const idToken = await cloud.tokens.idToken('you@devcloud.local', 'a')
  const info = await cloud.call('GET', `https://oauth2.googleapis.com/tokeninfo?id_token=${idToken}`, { token: null })
  expect(info.body).toMatchObject({ aud: 'a', email: 'you@devcloud.local', email_verified: 'true', alg: 'RS256' })
  const { token } = cloud.tokens.accessToken('you@devcloud.local')
  const user = await cloud.call('GET', 'https://openidconnect.googleapis.com/v1/userinfo', { token })
  expect(user.body).toMatchObject({ email: 'you@devcloud.local', email_verified: true, sub: info.body['sub'] })
  expect((await cloud.call('GET', 'https://openidconnect.googleapis.com/v1/userinfo', { token: null })).status).toBe(401)
})
