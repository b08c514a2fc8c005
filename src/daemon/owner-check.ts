import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { uidOfPeer, type Ends } from '../base/peer-owner.ts'

/** Whether a connection of this machine is that of the user who owns the daemon, or root's. */
export interface OwnerCheck {
  /**
   * False where the system does not tell whose a connection is, and where one of the user's own may come from a container: Docker Desktop's and
   * WSL's forwarders connect to loopback in a container's place. A token of this machine is wanted there: docs/security.md.
   */
  readonly isProof: boolean
  /** Asks the kernel once a connection. @param connection what stands for it @returns false for everybody where nothing is proof */
  owns(connection: object, ends: Ends): boolean | Promise<boolean>
  /** Whether a connection is surely another user's: never where nothing is proof. For doors whose clients can send no token. */
  isForeign(connection: object, ends: Ends): Promise<boolean>
}

export function openOwnerCheck(isProof = uidIsProof()): OwnerCheck {
  const known = new WeakMap<object, boolean>()
  const uid = process.getuid?.()
  const owns: OwnerCheck['owns'] = (connection, ends) => {
    if (!isProof) return false
    const told = known.get(connection)
    if (told !== undefined) return told
    return uidOfPeer(ends).then((found) => {
      const isOwner = found !== undefined && (found === uid || found === 0)
      known.set(connection, isOwner)
      return isOwner
    })
  }
  return { isProof, owns, isForeign: async (connection, ends) => isProof && !(await owns(connection, ends)) }
}

function uidIsProof(): boolean {
  return process.platform === 'linux' && !existsSync(join(homedir(), '.docker/desktop/docker.sock')) && !/microsoft/i.test(kernel())
}

function kernel(): string {
  try {
    return readFileSync('/proc/version', 'utf8')
  } catch {
    return ''
  }
}
