import type { IncomingMessage, ServerResponse } from 'node:http'
import { admit } from '../api/caller.ts'
import type { Visit } from '../gateway/gateway-options.ts'
import type { MachineToken } from './machine-token.ts'
import type { OwnerCheck } from './owner-check.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Hands requests to the API's server, each with what its door says of its sender: docs/security.md. */
export function admitVisitors(serve: Handler, ownerCheck: OwnerCheck, machineToken: MachineToken) {
  return (request: IncomingMessage, response: ServerResponse, { lendsAuthority, isPage, source }: Visit): void => {
    const hand = (isLocalUser: boolean) => {
      admit(request, { isLocalUser, isPage })
      serve(request, response)
    }
    if (!lendsAuthority || isPage) return hand(false)
    if (machineToken.isIn(request.headers)) return hand(true)
    if (source.ends === undefined) return hand(false)
    const isOwner = ownerCheck.owns(source, source.ends)
    if (typeof isOwner === 'boolean') hand(isOwner)
    else void isOwner.then(hand)
  }
}
