import * as z from 'zod'

/**
 * A map with the user's own keys: labels, annotations, metadata. Zod's `record` drops the key `__proto__` without an error (S24).
 * @param read gives the text of a value; undefined for an invalid value
 */
export function stringMap(read: (value: unknown) => string | undefined = textOf) {
  return z.unknown().transform((input, context): Readonly<Record<string, string>> => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return fail(context, [], 'expected an object')
    const pairs = Object.entries(input).map(([key, value]) => [key, read(value)] as const)
    const bad = pairs.find(([, value]) => value === undefined)
    if (bad !== undefined) return fail(context, [bad[0]], 'expected a string')
    return Object.fromEntries(pairs) as Readonly<Record<string, string>>
  })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function fail(context: z.RefinementCtx, path: PropertyKey[], message: string) {
  context.addIssue({ code: 'custom', path, message })
  return z.NEVER
}
