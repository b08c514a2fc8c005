import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerSpec } from '../engine.ts'
import type { ProcessIdentity } from './proc.ts'

/** What is kept of a running application, in `container.json` of its folder, for the next daemon. No secret is in it. */
export interface ContainerRecord {
  readonly id: string
  readonly name: string
  readonly project: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
  readonly directory: string
  /** Where it runs. */
  readonly cwd: string
  readonly port: number | undefined
  /** The shim, which leads the process group. */
  readonly leader: ProcessIdentity
  /** Folder of files in memory. */
  readonly memoryDirectory: string
  /** Folders in memory that it shares with others of its instance. */
  readonly sharedDirectories?: readonly string[]
  /** Where its mounts of files are, by their target. */
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

/** Those under `root`. A folder without a record is what a start left that was cut short: it is removed. */
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
