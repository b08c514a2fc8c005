/** The head or body of a JWT, `eyJhbGciOiJSUzI1NiJ9`, as an object; undefined when it is none. Nothing is checked. */
export function readJwtPart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
