import { uidOfPeer, type Ends } from '../base/peer-owner.ts'

/** Whether a connection of this machine is that of the user who owns the daemon, or root's. */
export type OwnerCheck = (connection: object, ends: Ends) => boolean | Promise<boolean>

/** Asks the kernel once a connection. Where the kernel does not tell, nobody is the owner: a token of this machine is wanted. */
export function openOwnerCheck(): OwnerCheck {
  const known = new WeakMap<object, boolean>()
  const uid = process.getuid?.()
  return (connection, ends) =>
    known.get(connection) ??
    uidOfPeer(ends).then((found) => {
      const isOwner = found !== undefined && (found === uid || found === 0)
      known.set(connection, isOwner)
      return isOwner
    })
}
