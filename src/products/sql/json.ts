/** An object of the Admin API, as JSON gave it and before anything has checked it. */
export type Json = Readonly<Record<string, unknown>>
