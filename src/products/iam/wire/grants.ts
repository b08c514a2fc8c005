import type { Clock } from '../../../base/clock.ts'
import { readAssertion } from '../../../metadata/assertion.ts'
import { cloudPlatform, type Tokens } from '../../../metadata/tokens.ts'
import type { Form } from './form.ts'

/** What a token endpoint answers: OAuth 2.0 has its own form of errors (RFC 6749, 5.2). */
export interface OAuthAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface GrantNeeds {
  readonly tokens: Tokens
  readonly clock: Clock
}

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** POST /token: a key file's assertion, or the refresh token of the person at this machine. Others are refused by name. */
export async function answerGrant(form: Form, needs: GrantNeeds): Promise<OAuthAnswer> {
  const type = form['grant_type'] ?? ''
  if (type === jwtBearer) return await assertionGrant(form, needs)
  if (type === 'refresh_token') return await refreshGrant(form, needs)
  if (type === '') return oauthError(400, 'invalid_request', 'Required parameter is missing: grant_type')
  return oauthError(400, 'unsupported_grant_type', `devcloud does not emulate grant_type ${type}.`)
}

/** An access token for `scope`, or an ID token for `target_audience`. Source: developers.google.com/identity/protocols/oauth2/service-account. */
async function assertionGrant(form: Form, { tokens, clock }: GrantNeeds): Promise<OAuthAnswer> {
  const assertion = readAssertion(form['assertion'] ?? '', tokens.accountKeys, clock.nowMs())
  if (assertion === undefined) return oauthError(400, 'invalid_grant', 'Invalid JWT Signature.')
  const { email, claims } = assertion
  const { aud, sub, scope, target_audience: audience } = claims
  if (typeof aud !== 'string' || !aud.endsWith('/token')) {
    return oauthError(400, 'invalid_grant', 'Invalid JWT: the claim aud must be the token endpoint.')
  }
  if (sub !== undefined && sub !== email) {
    return oauthError(401, 'unauthorized_client', 'devcloud does not emulate domain-wide delegation: the claim sub must be iss or absent.')
  }
  if (tokens.isSuspended(email)) return oauthError(400, 'invalid_grant', `Invalid grant: account ${email} is disabled or deleted`)
  if (typeof audience === 'string' && audience !== '') return { status: 200, body: { id_token: await tokens.idToken(email, audience) } }
  if (typeof scope !== 'string' || scope.trim() === '') {
    return oauthError(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  }
  return { status: 200, body: { ...accessToken(tokens, clock, email, scope.trim().split(/\s+/)), scope } }
}

/** What a developer meets who once ran `gcloud auth application-default login`: Go looks there before it asks the metadata server. */
const notOurs =
  'Token has been expired or revoked: it is none that devcloud gave. If it is from application_default_credentials.json, move that file away.'

/** `client_id` may be any: it becomes the audience of the ID token, as with gcloud. */
async function refreshGrant(form: Form, { tokens, clock }: GrantNeeds): Promise<OAuthAnswer> {
  const inspected = tokens.inspect(form['refresh_token'] ?? '')
  if (inspected?.kind !== 'refresh') return oauthError(400, 'invalid_grant', notOurs)
  const asked = (form['scope'] ?? '').split(/\s+/).filter((scope) => scope !== '')
  const scopes = asked.length > 0 ? asked : inspected.scopes.length > 0 ? inspected.scopes : [cloudPlatform]
  const idToken = await tokens.idToken(inspected.email, form['client_id'] || 'devcloud')
  return { status: 200, body: { ...accessToken(tokens, clock, inspected.email, scopes), scope: scopes.join(' '), id_token: idToken } }
}

function accessToken(tokens: Tokens, clock: Clock, email: string, scopes: readonly string[]) {
  const { token, expiresMs } = tokens.accessToken(email, scopes)
  return { access_token: token, expires_in: Math.round((expiresMs - clock.nowMs()) / 1000), token_type: 'Bearer' }
}

export function oauthError(status: number, error: string, description: string): OAuthAnswer {
  return { status, body: { error, error_description: description } }
}
