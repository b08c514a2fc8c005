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

/** Tokens that devcloud's APIs and services take, in your name or a service account's. */
export function addAuth(program: Command): void {
  const auth = program.command('auth').description('tokens of yours, or of a service account')
  auth
    .command('print-identity-token')
    .description('for services that ask who calls: curl -H "Authorization: Bearer $(devcloud auth print-identity-token)" URL')
    .option('--audiences <audience>', 'whom the token is for: the URL of a service; of yourself any service takes it without')
    .option('--impersonate-service-account <email>', "this account's token")
    .option('--include-email', "with the account's email in it")
    .option('--json', 'as JSON')
    .action(async (options: TokenOptions) => print(options, await identityToken(options)))
  auth
    .command('print-access-token')
    .description('for the APIs of Google that devcloud answers')
    .option('--impersonate-service-account <email>', "this account's token")
    .option('--lifetime <seconds>', "of an account's token, at most 3600")
    .option('--json', 'as JSON')
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
