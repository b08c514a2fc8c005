import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where clusters live, and as whom their servers run. */
export interface Home {
  /** Below it: a folder a cluster, the template, the copied binaries. */
  readonly directory: string
  /** Postgres refuses root: for root another user's ids, who owns everything below. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  /** Of the superuser `cloudsqladmin`, which no client may be. */
  readonly adminPassword: string
}

/**
 * Below the state directory; for root, whose state directory no other user may enter, in a folder of its own under /var/lib, whose name tells the
 * state directory. Folders that others pass through are 0711.
 */
export function openHome(stateDirectory: string): Home {
  const isRoot = process.getuid?.() === 0
  const id = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 8)
  const owner = isRoot ? unprivilegedUser() : undefined
  const directory = isRoot ? join('/var/lib/devcloud', id) : join(stateDirectory, 'postgres')
  mkdirSync(directory, { recursive: true })
  if (isRoot) chmodSync('/var/lib/devcloud', 0o711)
  chmodSync(directory, isRoot ? 0o711 : 0o700)
  return { directory, owner, adminPassword: readOrMakePassword(join(stateDirectory, 'postgres-admin')) }
}

/** Makes a folder that the server's user owns. */
export function makeOwned(home: Home, path: string, mode: number): string {
  mkdirSync(path, { recursive: true })
  chmodSync(path, mode)
  if (home.owner !== undefined) chownSync(path, home.owner.uid, home.owner.gid)
  return path
}

/** `postgres` where the system has it, else `nobody`: initdb wants a user that has a name. */
function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) }
}

function readOrMakePassword(path: string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const password = randomBytes(24).toString('base64url')
  writeFileSync(path, password, { mode: 0o600 })
  return password
}
