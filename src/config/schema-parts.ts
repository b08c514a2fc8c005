import { z } from 'zod'

/** Text of a pattern. The error of each schema says what to write instead; `addIssues` adds the rest of the sentence. */
export function text(rule: { readonly pattern: RegExp; readonly words: string }) {
  return z.string().regex(rule.pattern, { error: rule.words })
}

/** A whole number from `least` to `most`, both included. */
export function whole(from: number, to: number) {
  const error = `a whole number from ${from} to ${to}`
  return z.int({ error }).min(from, { error }).max(to, { error })
}

/** An object that takes no other keys. The message for an unknown key lists the known keys, for `addIssues`. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : undefined) })
}
