import * as z from 'zod'

/** JSON has 64-bit numbers as text (storage trap 13); clients send either. */
export const wholeNumber = z.union([z.int(), z.string().regex(/^-?\d{1,15}$/).transform(Number)]) // prettier-ignore
