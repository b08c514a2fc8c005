import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { offers } from '../../../src/daemon/catalog.ts'
import { openBorders } from '../../../src/api/borders.ts'
import { createApiServer } from '../../../src/api/serve.ts'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { openLog } from '../../../src/base/log.ts'
import { openTokens, type Tokens } from '../../../src/metadata/tokens.ts'
import { iam } from '../../../src/products/iam/index.ts'
import { givenState } from '../../api/given-api.ts'

export interface GivenIam extends AsyncDisposable {
  readonly tokens: Tokens
  /** `http://localhost:PORT`, where a caller without a token is the local user. */
  readonly url: string
  /** Calls one of Google's own host names, where nobody is let in without a token. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, options?: CallOptions): Promise<Answer>
}

interface CallOptions {
  /** Sent as JSON, or as a form when it is URLSearchParams. */
  readonly body?: unknown
  /** Default: one of `admin`. `null` for none. */
  readonly token?: string | null
}

interface Answer {
  readonly status: number
  // A test reads what it expects to be there; what is missing fails the comparison.
  readonly body: Json
}
interface Json {
  readonly [key: string]: Json & string
}

export const admin = 'admin@demo.iam.gserviceaccount.com'
export const projectNumber = '123456789012'

/** IAM behind the API server with its own tokens; project `demo` has the number 123456789012, others have 1. */
export async function givenIam(clock: Clock = systemClock): Promise<GivenIam> {
  const state = givenState()
  const tokens = await openTokens({ state, clock })
  const demo = { id: 'demo', number: projectNumber }
  const project = (told: string) => (told === demo.id || told === demo.number ? demo : { id: told, number: '1' })
  const borders = openBorders({ project, policy: () => undefined, emailOfAccount: (uniqueId) => product.emailOfAccount(uniqueId) })
  const product = iam({
    state,
    clock,
    tokens,
    project,
    projects: () => [demo],
    apis: Object.assign({}, ...offers.map(({ apis = {} }) => apis)),
    borders: () => borders,
  })
  const app = await createApiServer({ products: [product], borders, tokens, log: openLog(undefined) })
  const server = http.createServer(app.routing as unknown as http.RequestListener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    tokens,
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async call(method, url, { body, token = tokens.accessToken(admin).token } = {}) {
      const { host, pathname, search } = new URL(url)
      const isForm = body instanceof URLSearchParams
      const response = await app.inject({
        method,
        url: pathname + search,
        headers: {
          host,
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
        },
        ...(body !== undefined && { payload: isForm ? body.toString() : JSON.stringify(body) }),
      })
      return { status: response.statusCode, body: response.json() as Json }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await app.close()
      await state[Symbol.asyncDispose]()
    },
  }
}

/** Makes `app-account@demo…`; answers its email. */
export async function givenAccount(cloud: GivenIam, accountId = 'app-account'): Promise<string> {
  const { body } = await cloud.call('POST', 'https://iam.googleapis.com/v1/projects/demo/serviceAccounts', { body: { accountId } })
  return String(body['email'])
}

/** A key file of the account, as Google's clients read it. */
export async function givenKeyFile(cloud: GivenIam, email: string): Promise<{ readonly name: string; readonly file: KeyFile }> {
  const { body } = await cloud.call('POST', `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${email}/keys`, { body: {} })
  return { name: String(body['name']), file: JSON.parse(Buffer.from(String(body['privateKeyData']), 'base64').toString('utf8')) as KeyFile }
}

export interface KeyFile {
  readonly client_email: string
  readonly private_key: string
  readonly private_key_id: string
  readonly token_uri: string
}
