import type { DescService } from '@bufbuild/protobuf'
import type { FastifyPluginAsync } from 'fastify'
import { requireCaller } from '../../../api/caller.ts'
import { unimplemented } from '../../../api/status.ts'
import type { Credentials } from '../credentials.ts'
import { readForm, takeForms } from './form.ts'

/**
 * generateIdToken over REST. Its clients send what the proto does not take: `useEmailAzp` (all), "true" for true (Python), a form (Java).
 * The path has every verb of an account; those that the proto has are answered before it comes here.
 */
export function idTokenRoute(credentials: Credentials): FastifyPluginAsync {
  return async (app) => {
    takeForms(app)
    app.post<{ Params: { call: string } }>('/v1/projects/-/serviceAccounts/:call', (request) => {
      const caller = requireCaller(request.caller)
      const [, account] = /^([^:]+):generateIdToken$/.exec(request.params.call) ?? []
      if (account === undefined) throw unimplemented(`POST ${request.url.split('?')[0]}`)
      const form = readForm(request)
      const asked = {
        name: `projects/-/serviceAccounts/${account}`,
        delegates: (form['delegates'] ?? '').split(' ').filter((name) => name !== ''),
        audience: form['audience'] ?? '',
        includeEmail: form['includeEmail'] === 'true',
        useEmailAzp: form['useEmailAzp'] === 'true',
      }
      return credentials.idToken(asked, caller).then((token) => ({ token }))
    })
  }
}

/** The service without the REST path of one method, which a wire answers instead. */
export function withoutRest<T extends DescService>(descriptor: T, localName: string): T {
  const methods = descriptor.methods.map((method) =>
    method.localName === localName ? { ...method, proto: { ...method.proto, options: undefined } } : method,
  )
  return { ...descriptor, methods } as T
}
