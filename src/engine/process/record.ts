import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerSpec } from '../engine.ts'
import type { ProcessIdentity } from './proc.ts'

/** The record of a running application for the next daemon: `container.json` in the application's folder. The record has no secret. */
export interface ContainerRecord {
  readonly id: string
  readonly name: string
  readonly project: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
  readonly directory: string
  /** The application's working directory. */
  readonly cwd: string
  readonly port: number | undefined
  /** The shim: the leader of the process group. */
  readonly leader: ProcessIdentity
  /** The folder with the application's files in memory. */
  readonly memoryDirectory: string
  /** The folders in memory that the containers of the instance share. */
  readonly sharedDirectories?: readonly string[]
  /** The real paths of the mounts of files, by target. */
  readonly fileMounts?: Readonly<Record<string, string>>
}

export function toRecord(
  spec: ContainerSpec,
  rest: Pick<ContainerRecord, 'id' | 'directory' | 'cwd' | 'port' | 'leader' | 'memoryDirectory' | 'sharedDirectories' | 'fileMounts'>,
): ContainerRecord {
  const { name, project, labels, serviceAccount } = spec
  return { name, project, labels, serviceAccount, ...rest }
}

export function writeRecord(record: ContainerRecord): void {
  const path = join(record.directory, 'container.json')
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** The records under `root`. Removes folders without a record: an interrupted start left them. */
export function readRecords(root: string): ContainerRecord[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    try {
      return [JSON.parse(readFileSync(join(root, entry.name, 'container.json'), 'utf8')) as ContainerRecord]
    } catch {
      rmSync(join(root, entry.name), { recursive: true, force: true })
      return []
    }
  })
}
