import type { Call } from './call.ts'

/** Gives a resource, undefined for 204, or the reply itself when it has answered. */
export type Handler = (call: Call) => Promise<object | undefined> | object | undefined
