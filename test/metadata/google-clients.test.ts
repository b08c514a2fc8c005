import { GoogleAuth, OAuth2Client } from 'google-auth-library'
import { afterEach, expect, test, vi } from 'vitest'
import { account, givenMetadata, type GivenMetadata } from './given-metadata.ts'

afterEach(() => vi.unstubAllEnvs())

/** The environment that a container has: nothing but where its metadata server is. */
function givenEnvironment(metadata: GivenMetadata): void {
  vi.stubEnv('GCE_METADATA_HOST', metadata.host)
  vi.stubEnv('GCE_METADATA_IP', metadata.host)
  for (const name of ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'HTTPS_PROXY']) vi.stubEnv(name, '')
  vi.stubEnv('CLOUDSDK_CONFIG', '/nonexistent')
  vi.stubEnv('HOME', '/nonexistent')
}

test("Google's Node client finds its project, account and access token by itself", async () => {
  await using metadata = await givenMetadata()
  givenEnvironment(metadata)
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
  expect(await auth.getProjectId()).toBe('demo')
  expect((await auth.getCredentials()).client_email).toBe(account)
  const token = await auth.getAccessToken()
  expect(metadata.tokens.read(token ?? '')).toEqual({ email: account })
})

test("Google's Node client gets an ID token that it verifies itself with our certificates", async () => {
  await using metadata = await givenMetadata()
  givenEnvironment(metadata)
  const client = await new GoogleAuth().getIdTokenClient('https://service.example')
  const headers = await client.getRequestHeaders()
  const idToken = (headers.get('authorization') ?? '').replace('Bearer ', '')
  const verifier = new OAuth2Client()
  const ticket = await verifier.verifySignedJwtWithCertsAsync(idToken, metadata.tokens.certs(), 'https://service.example', [
    'https://accounts.google.com',
  ])
  expect(ticket.getPayload()).toMatchObject({ email: account, email_verified: true })
  await expect(
    verifier.verifySignedJwtWithCertsAsync(idToken, metadata.tokens.certs(), 'https://other.example', ['https://accounts.google.com']),
  ).rejects.toThrow('Wrong recipient')
})
