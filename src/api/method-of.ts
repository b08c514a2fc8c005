import type { IncomingMessage } from 'node:http'

const overriding = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])

/**
 * The method that a client means. Java's HttpURLConnection cannot send PATCH, and a client with a long query cannot send GET: such clients send POST and name
 * the method in a header.
 */
export function methodOf(request: Pick<IncomingMessage, 'method' | 'headers'>): string {
  const method = request.method ?? ''
  const told = request.headers['x-http-method-override']
  const meant = typeof told === 'string' ? told.toUpperCase() : ''
  return method === 'POST' && overriding.has(meant) ? meant : method
}
