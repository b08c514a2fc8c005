import { CloudError } from '../base/cloud-error.ts'
import { exitCodes } from './exit-codes.ts'
import { faults } from './faults.ts'

/** The exit code of a command that ends with this error: by the error's fault, else 1. */
export function exitCodeOf(error: unknown): number {
  const { exit = 'application' } = (error instanceof CloudError ? faults[error.fault ?? ''] : undefined) ?? {}
  return exitCodes[exit]
}
