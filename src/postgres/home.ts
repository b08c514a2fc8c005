import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where clusters are stored, and which user runs their servers. */
export interface Home {
  /** Holds one folder for each cluster, the template, and the copied binaries. */
  readonly directory: string
  /** Postgres refuses to run as root. For root, these are the ids of another user, who owns everything below the directory. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  /** The password of the superuser `cloudsqladmin`, as which no client may log in. */
  readonly adminPassword: string
}

/**
 * Opens the home of clusters: a folder in the state directory. Another user may not enter root's state directory, so for root the home is a folder under
 * /var/lib whose name contains a hash of the state directory. Folders through which other users pass have mode 0711.
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

/** The user `postgres` where the system has one, else `nobody`: initdb wants a user with a name. */
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
