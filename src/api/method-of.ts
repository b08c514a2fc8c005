import type { IncomingMessage } from 'node:http'

const overriding = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])

/**
 * The method that is meant. Java's HttpURLConnection has no PATCH, and clients whose URL would be too long have no GET: they send POST and name
 * the real one.
 */
export function methodOf(request: Pick<IncomingMessage, 'method' | 'headers'>): string {
  const method = request.method ?? ''
  const told = request.headers['x-http-method-override']
  const meant = typeof told === 'string' ? told.toUpperCase() : ''
  return method === 'POST' && overriding.has(meant) ? meant : method
}
