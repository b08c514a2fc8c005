export const exitCodes = { ok: 0, application: 1, usage: 2, configuration: 3, engine: 4, notReady: 5, interrupted: 130 } as const
