import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { Connected } from './connect.ts'

/** What the parts of the docker engine share. */
export interface DockerHost extends Connected {
  /** The id of the state directory in labels and in names of networks and volumes. Two state directories share nothing. */
  readonly state: string
  readonly log: Log
  /** Ids of containers that the engine removes on purpose: their end is not reported. */
  readonly removing: Set<string>
}

/** 12 hexadecimal digits. */
export function stateId(stateDirectory: string): string {
  return createHash('sha256').update(resolve(stateDirectory)).digest('hex').slice(0, 12)
}
