import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { exportJWK } from 'jose'
import { X509Certificate } from 'node:crypto'
import type { Tokens } from '../../../metadata/tokens.ts'

/** Public keys: those of ID tokens, and those of each service account, by which its signatures are verified. No caller is asked for. */
export function certificateRoutes(tokens: Tokens): FastifyPluginAsync {
  return async (app) => {
    app.get('/oauth2/v1/certs', (_request, reply) => send(reply, tokens.certs()))
    app.get('/oauth2/v3/certs', (_request, reply) => send(reply, tokens.jwks()))
    for (const prefix of ['/robot/v1/metadata', '/service_accounts/v1/metadata']) {
      app.get<{ Params: { email: string } }>(`${prefix}/x509/:email`, (request, reply) => {
        const keys = validKeys(tokens, request.params.email)
        return send(reply, Object.fromEntries(keys.map(({ id, certificate }) => [id, certificate])))
      })
      app.get<{ Params: { email: string } }>(`${prefix}/jwk/:email`, async (request, reply) => {
        const keys = validKeys(tokens, request.params.email).map(async ({ id, certificate }) => {
          const jwk = await exportJWK(new X509Certificate(certificate).publicKey)
          return { ...jwk, kid: id, use: 'sig', alg: 'RS256' }
        })
        return send(reply, { keys: await Promise.all(keys) })
      })
    }
  }
}

function validKeys(tokens: Tokens, email: string) {
  return tokens.accountKeys.list(email).filter(({ disabled }) => !disabled)
}

/** Clients keep keys as long as this says; ours change only when the state is deleted, which a test does often. */
function send(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header('cache-control', 'public, max-age=60').type('application/json; charset=UTF-8').send(JSON.stringify(body))
}
