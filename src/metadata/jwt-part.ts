/** Reads the head or body of a JWT, `eyJhbGciOiJSUzI1NiJ9`, as an object. Checks no signature. @returns undefined for text that is no JSON object */
export function readJwtPart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
