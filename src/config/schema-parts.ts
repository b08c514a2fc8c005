import { z } from 'zod'

/** Text of a pattern. The error of every schema here is what to write instead; `addIssues` puts the rest before it. */
export function text(rule: { readonly pattern: RegExp; readonly words: string }) {
  return z.string().regex(rule.pattern, { error: rule.words })
}

/** A whole number within limits, both included. */
export function whole(from: number, to: number) {
  const error = `a whole number from ${from} to ${to}`
  return z.int({ error }).min(from, { error }).max(to, { error })
}

/** An object that takes no other keys. The message of an unknown one is the known ones, for `addIssues`. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : undefined) })
}
