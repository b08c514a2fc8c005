import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { Connected } from './connect.ts'

/** What the parts of this engine share. */
export interface DockerHost extends Connected {
  /** Names the state directory in labels, names of networks and volumes; no two state directories share anything. */
  readonly state: string
  readonly log: Log
  /** Ids of containers that are being removed on purpose: their end is no news. */
  readonly removing: Set<string>
}

/** 12 hexadecimal digits. */
export function stateId(stateDirectory: string): string {
  return createHash('sha256').update(resolve(stateDirectory)).digest('hex').slice(0, 12)
}
