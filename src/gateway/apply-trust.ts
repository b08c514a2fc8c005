import { spawnSync } from 'node:child_process'
import { copyFileSync, chmodSync, rmSync } from 'node:fs'
import { messageOf } from '../base/cloud-error.ts'
import { searchPath } from './find-trust-stores.ts'
import type { TrustAction, TrustStep } from './trust-plan.ts'

/** Carries out one step. @returns undefined, or why the step failed */
export function applyTrust(step: TrustStep, env: NodeJS.ProcessEnv): string | undefined {
  for (const action of step.actions) {
    const problem = apply(action, env)
    if (problem !== undefined) return problem
  }
  return undefined
}

function apply(action: TrustAction, env: NodeJS.ProcessEnv): string | undefined {
  try {
    if (action.kind === 'copy') {
      copyFileSync(action.from, action.to)
      chmodSync(action.to, 0o644)
    } else if (action.kind === 'delete') rmSync(action.path, { force: true })
    else {
      const [command = '', ...args] = action.command
      const { status, stderr, error } = spawnSync(command, args, { env: { ...env, PATH: searchPath(env) }, encoding: 'utf8' })
      if (status === 0 || action.mayFail === true) return undefined
      return `${command}: ${error === undefined ? (stderr.trim().split('\n').at(-1) ?? `exit ${status}`) : messageOf(error)}`
    }
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
