import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { requireCaller } from '../../../api/caller.ts'
import { idTokenIssuer } from '../../../metadata/tokens.ts'
import { readForm, takeForms } from './form.ts'
import { answerGrant, oauthError, type GrantNeeds, type OAuthAnswer } from './grants.ts'

/** OAuth 2.0 and OpenID Connect as oauth2.googleapis.com and www.googleapis.com serve them. */
export function oauthRoutes(needs: GrantNeeds): FastifyPluginAsync {
  return async (app) => {
    takeForms(app)
    for (const path of ['/token', '/oauth2/v3/token', '/oauth2/v4/token']) {
      app.post(path, async (request, reply) => send(reply, await answerGrant(readForm(request), needs)))
    }
    for (const url of ['/tokeninfo', '/oauth2/v3/tokeninfo']) {
      app.route({ method: ['GET', 'POST'], url, handler: async (request, reply) => send(reply, await tokenInfo(request, needs)) })
    }
    app.post('/revoke', async (request, reply) => {
      const isOurs = await needs.tokens.revoke(readForm(request)['token'] ?? '')
      return send(reply, isOurs ? { status: 200, body: {} } : oauthError(400, 'invalid_token', 'Token expired or revoked'))
    })
    for (const path of ['/v1/userinfo', '/oauth2/v3/userinfo']) {
      app.get(path, (request, reply) => {
        const { email } = requireCaller(request.caller)
        return send(reply, { status: 200, body: { sub: needs.tokens.uniqueId(email), email, email_verified: true } })
      })
    }
    for (const path of ['/oauth2/v1/userinfo', '/oauth2/v2/userinfo']) {
      app.get(path, (request, reply) => {
        const { email } = requireCaller(request.caller)
        return send(reply, { status: 200, body: { id: needs.tokens.uniqueId(email), email, verified_email: true } })
      })
    }
  }
}

/** What a token says: an access token by query, form or header, or an ID token. All values are text, as Google's are. */
async function tokenInfo(request: FastifyRequest, { tokens, clock }: GrantNeeds): Promise<OAuthAnswer> {
  const form = readForm(request)
  const idToken = form['id_token']
  if (idToken !== undefined) {
    const keys = createLocalJWKSet(tokens.jwks())
    const options = { issuer: idTokenIssuer, currentDate: new Date(clock.nowMs()) }
    const verified = await jwtVerify(idToken, keys, options).catch(() => undefined)
    if (verified === undefined) return oauthError(400, 'invalid_token', 'Invalid Value')
    const { payload, protectedHeader } = verified
    const claims = Object.entries(payload).map(([name, value]) => [name, typeof value === 'object' ? value : String(value)])
    return { status: 200, body: { ...Object.fromEntries(claims), alg: protectedHeader.alg, kid: protectedHeader.kid, typ: 'JWT' } }
  }
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const inspected = tokens.inspect(form['access_token'] ?? bearer ?? '')
  if (inspected?.expiresMs === undefined) return oauthError(400, 'invalid_token', 'Invalid Value')
  const id = tokens.uniqueId(inspected.email)
  return {
    status: 200,
    body: {
      azp: id,
      aud: id,
      sub: id,
      scope: inspected.scopes.join(' '),
      exp: String(Math.floor(inspected.expiresMs / 1000)),
      expires_in: String(Math.floor((inspected.expiresMs - clock.nowMs()) / 1000)),
      email: inspected.email,
      email_verified: 'true',
      access_type: 'online',
    },
  }
}

function send(reply: FastifyReply, { status, body }: OAuthAnswer): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('application/json; charset=UTF-8').send(JSON.stringify(body))
}
