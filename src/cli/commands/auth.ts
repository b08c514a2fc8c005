import type { Command } from 'commander'
import type { ApiAnswer, ApiRequest, TokenAnswer } from '../../daemon/control-protocol.ts'
import { connectDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'

interface TokenOptions {
  readonly audiences?: string
  readonly impersonateServiceAccount?: string
  readonly includeEmail?: true
  readonly lifetime?: string
  readonly json?: true
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'

/** Adds `devcloud auth`: tokens for devcloud's APIs and services, of the user or of a service account. */
export function addAuth(program: Command): void {
  const auth = program.command('auth').description('print tokens of your own, or of a service account')
  auth
    .command('print-identity-token')
    .description('print a token for a private service: curl -H "Authorization: Bearer $(devcloud auth print-identity-token)" URL')
    .option('--audiences <audience>', 'the URL of the service that the token is for; your own token needs none')
    .option('--impersonate-service-account <email>', "this account's token")
    .option('--include-email', "put the account's email into the token")
    .option('--json', 'print JSON')
    .action(async (options: TokenOptions) => print(options, await identityToken(options)))
  auth
    .command('print-access-token')
    .description('print a token for the APIs of Google that devcloud answers')
    .option('--impersonate-service-account <email>', "this account's token")
    .option('--lifetime <seconds>', "how long an account's token is valid, at most 3600")
    .option('--json', 'print JSON')
    .action(async (options: TokenOptions) => print(options, await accessToken(options)))
}

async function identityToken({ audiences, impersonateServiceAccount: email, includeEmail }: TokenOptions): Promise<string> {
  const client = await connectDaemon()
  if (email === undefined) {
    const query = audiences === undefined ? '' : `?audience=${encodeURIComponent(audiences)}`
    return (await client.get<TokenAnswer>(`/identity-token${query}`)).token
  }
  const request: ApiRequest = {
    method: 'POST',
    url: credentialsUrl(email, 'generateIdToken'),
    body: { audience: audiences ?? '', includeEmail: includeEmail === true },
  }
  return String((await client.post<ApiAnswer>('/api', request))['token'])
}

async function accessToken({ impersonateServiceAccount: email, lifetime }: TokenOptions): Promise<string> {
  const client = await connectDaemon()
  if (email === undefined) return (await client.get<TokenAnswer>('/access-token')).token
  const body = { scope: [scope], ...(lifetime !== undefined && { lifetime: `${lifetime.replace(/s$/, '')}s` }) }
  const request: ApiRequest = { method: 'POST', url: credentialsUrl(email, 'generateAccessToken'), body }
  return String((await client.post<ApiAnswer>('/api', request))['accessToken'])
}

function credentialsUrl(email: string, method: string): string {
  return `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:${method}`
}

function print(options: TokenOptions, token: string): void {
  openOutput(options).result({ token }, () => token)
}
