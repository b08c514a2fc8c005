import type { GoogleApi } from '../api/google-api.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Leads } from '../gateway/write-leads.ts'
import type { Catalog } from './catalog.ts'
import type { Foundation } from './foundation.ts'
import type { Identities } from './identities.ts'
import type { MachineToken } from './machine-token.ts'
import type { OwnerCheck } from './owner-check.ts'

/** The whole house, put together. */
export interface House {
  readonly foundation: Foundation
  readonly catalog: Catalog
  readonly gateway: Gateway
  readonly machineToken: MachineToken
  readonly ownerCheck: OwnerCheck
  /** Calls our own products as any client would. */
  readonly api: GoogleApi
  readonly startedMs: number
  readonly identities: Identities
  /** What programs load that do not look at the proxy by themselves. */
  readonly leads: Leads
}
