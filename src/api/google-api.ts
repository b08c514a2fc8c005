import { isRecord } from '../base/is-record.ts'
import type { FastifyInstance } from 'fastify'
import { nextHeader } from '../api/send-error.ts'
import { codes, CloudError, type Code } from '../base/cloud-error.ts'

/** Calls devcloud's products as any client does, by REST over Google's hosts, but without a socket. */
export interface GoogleApi {
  /** @throws CloudError the error that the product answered */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: unknown): Promise<Json>
  /** Like `call`, but undefined for NOT_FOUND. */
  find(url: string): Promise<Json | undefined>
}

export type Json = Readonly<Record<string, unknown>>

/** @param token gives the present token of the local user */
export function openGoogleApi(app: FastifyInstance, token: () => string): GoogleApi {
  const call: GoogleApi['call'] = async (method, url, body) => {
    const { host, pathname, search } = new URL(url)
    const response = await app.inject({
      method,
      url: pathname + search,
      headers: { host, authorization: `Bearer ${token()}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    const answer = readJson(response.body)
    if (response.statusCode >= 400) throw toError(answer['error'], response.statusCode, url, response.headers[nextHeader])
    return answer
  }
  return {
    call,
    async find(url) {
      try {
        return await call('GET', url)
      } catch (error) {
        if (error instanceof CloudError && error.code === 'NOT_FOUND') return undefined
        throw error
      }
    },
  }
}

/**
 * Turns the error of a failed call or operation back into a CloudError: the details carry `fault`, evidence and `next`.
 * @param next the percent-encoded `next` of an error without `fault`
 */
export function toError(told: unknown, httpStatus: number, url: string, next?: unknown): CloudError {
  const error = isRecord(told) ? told : {}
  const details = Array.isArray(error['details']) ? error['details'].filter(isRecord) : []
  const info = details.find((detail) => String(detail['@type']).endsWith('google.rpc.ErrorInfo'))
  const debug = details.find((detail) => String(detail['@type']).endsWith('google.rpc.DebugInfo'))
  const metadata = isRecord(info?.['metadata']) ? info['metadata'] : {}
  const known = Object.entries(codes)
  const code =
    known.find(([name, { grpc }]) => (error['status'] === undefined ? error['code'] === grpc : error['status'] === name)) ??
    known.find(([, { http }]) => http === httpStatus)
  const stack = debug?.['stackEntries']
  return new CloudError(
    (code?.[0] as Code | undefined) ?? 'UNKNOWN',
    String(error['message'] ?? `${url} answered ${httpStatus}.`),
    String(metadata['next'] ?? (typeof next === 'string' ? decodeURIComponent(next) : 'devcloud logs')),
    {
      ...(typeof info?.['reason'] === 'string' && { fault: info['reason'] }),
      ...(Array.isArray(stack) && { evidence: stack.map(String) }),
    },
  )
}

function readJson(text: string): Json {
  try {
    const value: unknown = JSON.parse(text || '{}')
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
