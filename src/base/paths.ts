import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CloudError } from './cloud-error.ts'
import { below } from './plain-name.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The longest path of a Unix socket that every system takes. macOS has room for 104 bytes with the final zero, Linux for 108. */
const socketPathBytes = 100

/** The state directory of this user: DEVCLOUD_STATE_DIR, else `devcloud` in XDG's state home. The folder is not made here. */
export function stateDirectory(env: Environment = process.env): string {
  if (env['DEVCLOUD_STATE_DIR']) return resolve(env['DEVCLOUD_STATE_DIR'])
  const home = env['XDG_STATE_HOME']?.startsWith('/') ? env['XDG_STATE_HOME'] : join(homedir(), '.local/state') // XDG: relative paths are void
  return join(home, 'devcloud')
}

/** The control socket of `state`. Where a path inside `state` is too long for a socket, the socket is in a short folder of this user, made with mode 0700. */
export function controlSocketPath(state: string, env: Environment = process.env): string {
  return socketPath(state, 'control.sock', env)
}

/** @param name the name of the socket's file, such as `gateway.sock` @throws CloudError when the short folder belongs to another user */
export function socketPath(state: string, name: string, env: Environment = process.env): string {
  const inside = join(state, name)
  if (Buffer.byteLength(inside) <= socketPathBytes) return inside
  const id = createHash('sha256').update(state).digest('hex').slice(0, 12)
  const runtime = env['XDG_RUNTIME_DIR']
  const short = join(shortFolder(runtime, `${id}-${name}`), `${id}-${name}`)
  ownFolder(dirname(short))
  return short
}

/** The gateway's socket for one project. The folder of the socket holds nothing else, since containers mount that folder. @throws CloudError as `below` */
export function projectSocketFolder(gatewaySocket: string, project: string): string {
  return below(`${gatewaySocket}.d`, project)
}

/** The daemon's diagnostics. */
export function daemonLogPath(state: string): string {
  return join(state, 'daemon.log')
}

/** The log of the daemon's stdout and stderr: what a failed start leaves behind. */
export function daemonOutputPath(state: string): string {
  return join(state, 'daemon.out')
}

function shortFolder(runtime: string | undefined, file: string): string {
  const uid = process.getuid?.() ?? 0
  const folder = runtime?.startsWith('/') ? join(runtime, 'devcloud') : undefined
  if (folder !== undefined && Buffer.byteLength(join(folder, file)) <= socketPathBytes) return folder
  const temporary = join(tmpdir(), `devcloud-${uid}`)
  return Buffer.byteLength(join(temporary, file)) <= socketPathBytes ? temporary : `/tmp/devcloud-${uid}`
}

/** Makes a folder that only this user may enter. @throws CloudError when another user made the folder first, or when the path is a link */
function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
    throw new CloudError(
      'PERMISSION_DENIED',
      `${path} is not a folder of yours.`,
      'Choose a shorter path: DEVCLOUD_STATE_DIR=FOLDER devcloud up',
      {
        fault: 'STATE_UNUSABLE',
      },
    )
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
}
