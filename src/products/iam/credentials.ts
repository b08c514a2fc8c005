import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { CompactSign } from 'jose'
import { sign } from 'node:crypto'
import { callerOf, type Caller } from '../../api/caller.ts'
import {
  GenerateAccessTokenResponseSchema,
  GenerateIdTokenResponseSchema,
  SignBlobResponseSchema,
  SignJwtResponseSchema,
} from '../../api/gen/google/iam/credentials/v1/common_pb.ts'
import type { IAMCredentials } from '../../api/gen/google/iam/credentials/v1/iamcredentials_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { Accounts } from './accounts.ts'
import type { IamNeeds } from './needs.ts'
import { invalid, readAccountName } from './names.ts'

const longestLifetimeSeconds = 3600
/** Source: projects.serviceAccounts.signJwt, "exp ... no more than 12 hours". */
const longestJwtSeconds = 12 * 3600

export interface Credentials {
  /** generateIdToken with what the proto lacks: `useEmailAzp`, which Google's clients send over REST. */
  idToken(request: IdTokenRequest, caller: Caller): Promise<string>
  readonly rpcs: Partial<ServiceImpl<typeof IAMCredentials>>
}

interface IdTokenRequest {
  readonly name: string
  readonly delegates: readonly string[]
  readonly audience: string
  readonly includeEmail: boolean
  readonly useEmailAzp: boolean
}

/** Tokens and signatures in the name of a service account: of the caller's own project, or of another one whose policies let the caller. */
export function openCredentials({ tokens, clock, borders }: IamNeeds, accounts: Accounts): Credentials {
  const principal = (request: { readonly name: string; readonly delegates: readonly string[] }, caller: Caller, action: string) => {
    for (const delegate of request.delegates) emailOf(accounts, delegate, caller)
    const email = emailOf(accounts, request.name, caller)
    borders().check(caller, `projects/-/serviceAccounts/${email}`, action) // the name may have had an account's number
    return email
  }
  const idToken: Credentials['idToken'] = async (request, caller) => {
    const email = principal(request, caller, 'generateIdToken')
    if (request.audience === '') throw invalid('audience must not be empty.')
    return await tokens.idToken(email, request.audience, { withoutEmail: !request.includeEmail, emailAsAzp: request.useEmailAzp })
  }
  return {
    idToken,
    rpcs: {
      generateAccessToken(request, context) {
        const email = principal(request, callerOf(context), 'generateAccessToken')
        if (request.scope.length === 0) throw invalid('scope must hold at least one value.')
        const seconds = Number(request.lifetime?.seconds ?? BigInt(longestLifetimeSeconds))
        if (seconds <= 0 || seconds > longestLifetimeSeconds)
          throw invalid(`lifetime must be above 0s and at most ${longestLifetimeSeconds}s.`)
        const { token, expiresMs } = tokens.accessToken(email, request.scope, seconds)
        const expireTime = timestampFromMs(Math.floor(expiresMs / 1000) * 1000)
        return create(GenerateAccessTokenResponseSchema, { accessToken: token, expireTime })
      },
      async generateIdToken(request, context) {
        const token = await idToken({ ...request, useEmailAzp: false }, callerOf(context))
        return create(GenerateIdTokenResponseSchema, { token })
      },
      async signBlob(request, context) {
        const email = principal(request, callerOf(context), 'signBlob')
        if (request.payload.length === 0) throw invalid('payload must not be empty.')
        const key = await tokens.accountKeys.system(email)
        return create(SignBlobResponseSchema, { keyId: key.id, signedBlob: sign('sha256', request.payload, key.privateKey) })
      },
      async signJwt(request, context) {
        const email = principal(request, callerOf(context), 'signJwt')
        checkClaims(request.payload, clock.nowMs())
        const key = await tokens.accountKeys.system(email)
        const signer = new CompactSign(Buffer.from(request.payload)).setProtectedHeader({ alg: 'RS256', kid: key.id, typ: 'JWT' })
        return create(SignJwtResponseSchema, { keyId: key.id, signedJwt: await signer.sign(key.privateKey) })
      },
    },
  }
}

/** An account may always speak for itself, also one that a service was given and nobody created. */
function emailOf(accounts: Accounts, name: string, caller: Caller): string {
  const { project, account } = readAccountName(name)
  if (project !== '-') throw invalid(`"${name}" must have the wildcard - in place of the project.`)
  const found = accounts.find(account)
  if (found?.disabled === true) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Service account ${found.email} is disabled.`,
      `gcloud iam service-accounts enable ${found.email}`,
    )
  }
  if (found !== undefined) return found.email
  if (account === caller.email) return account
  throw new CloudError(
    'NOT_FOUND',
    `Not found; Gaia id not found for email ${account}`,
    `gcloud iam service-accounts create ${account.split('@')[0]}`,
  )
}

function checkClaims(payload: string, nowMs: number): void {
  const claims = readClaims(payload)
  const { exp } = claims
  if (exp === undefined) return
  if (typeof exp !== 'number' || !Number.isInteger(exp)) throw invalid('The claim exp must be an integer.')
  if (exp <= nowMs / 1000 || exp > nowMs / 1000 + longestJwtSeconds) throw invalid('The claim exp must be in the next 12 hours.')
}

function readClaims(payload: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch (error) {
    throw new CloudError('INVALID_ARGUMENT', 'payload must be a JSON object.', 'Correct the request.', { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid('payload must be a JSON object.')
}
