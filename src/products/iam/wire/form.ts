import type { FastifyInstance, FastifyRequest } from 'fastify'

export type Form = Readonly<Record<string, string>>

const bodyLimitBytes = 64 << 10

/** Routes of `app` take small bodies of any content type as text. */
export function takeForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: bodyLimitBytes }, (_request, body, done) => done(null, body))
}

/** Query and body as one. The body is a form, as Java sends it, or JSON, as Node does; a boolean becomes `true` or `false`. */
export function readForm(request: FastifyRequest): Form {
  const query = new URLSearchParams(request.raw.url?.split('?').slice(1).join('?') ?? '')
  const body = typeof request.body === 'string' ? request.body : ''
  const fields = body.trimStart().startsWith('{') ? readJson(body) : Object.fromEntries(new URLSearchParams(body))
  return { ...Object.fromEntries(query), ...fields }
}

/** A list becomes its values joined by spaces. null is absent, as in proto JSON: Python's impersonated credentials send `delegates: null`. */
function readJson(body: string): Form {
  try {
    const entries = Object.entries(JSON.parse(body) as Record<string, unknown>).filter(([, value]) => value !== null)
    return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : String(value)]))
  } catch {
    return {}
  }
}
