import { CloudError } from '../base/cloud-error.ts'

/** Source: dx.md 4(d). */
export const exitCodes = { ok: 0, application: 1, usage: 2, configuration: 3, engine: 4, notReady: 5, interrupted: 130 } as const

const byFault: Readonly<Record<string, number>> = {
  USAGE: exitCodes.usage,
  NOT_EMULATED: exitCodes.usage,
  NO_PROJECT: exitCodes.usage,
  CONFIG_INVALID: exitCodes.configuration,
  NO_SERVICE: exitCodes.configuration,
  NO_COMMAND: exitCodes.configuration,
  SECRET_UNREADABLE: exitCodes.configuration,
  NO_SOURCE: exitCodes.configuration,
  PROJECT_TAKEN: exitCodes.configuration,
  DOCKER_UNREACHABLE: exitCodes.engine,
  ENGINE_CHANGED: exitCodes.engine,
  IMAGE_UNKNOWN: exitCodes.engine,
  PORT_TAKEN: exitCodes.engine,
  STATE_LOCKED: exitCodes.engine,
  STATE_UNUSABLE: exitCodes.engine,
  STATE_UNWRITABLE: exitCodes.engine,
  DISK_FULL: exitCodes.engine,
  DISK_FAILED: exitCodes.engine,
  STATE_DAMAGED: exitCodes.engine,
  STATE_NEWER: exitCodes.engine,
  STATE_UNKNOWN: exitCodes.engine,
  DAEMON_FAILED: exitCodes.engine,
  DAEMON_ABSENT: exitCodes.engine,
  NOT_LISTENING: exitCodes.notReady,
  INTERRUPTED: exitCodes.interrupted,
}

export function exitCodeOf(error: unknown): number {
  return (error instanceof CloudError ? byFault[error.fault ?? ''] : undefined) ?? exitCodes.application
}
