import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { credentials } from '@grpc/grpc-js'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { secretManager, versionTable, type SecretManager } from '../../../src/products/secretmanager/index.ts'
import type { State } from '../../../src/state/state.ts'
import { givenApi, givenState, type GivenApi } from '../../api/given-api.ts'

export interface GivenSecrets extends AsyncDisposable {
  readonly client: SecretManagerServiceClient
  readonly api: GivenApi
  readonly product: SecretManager
  readonly state: State
}

/** Secret Manager behind Google's own Node client over gRPC. The project `demo` has the number 123456789012. */
export async function givenSecrets(clock: Clock = systemClock): Promise<GivenSecrets> {
  const state = givenState(versionTable)
  const product = secretManager({ state, clock, project: () => ({ id: 'demo', number: '123456789012' }) })
  const api = await givenApi(product)
  const client = new SecretManagerServiceClient({ apiEndpoint: 'localhost', port: api.port, sslCreds: credentials.createInsecure() })
  return {
    client,
    api,
    product,
    state,
    async [Symbol.asyncDispose]() {
      await client.close()
      await api[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

/** Makes a secret with these versions; answers its name. */
export async function givenSecret(client: SecretManagerServiceClient, secretId: string, payloads: readonly string[] = []): Promise<string> {
  const [secret] = await client.createSecret({ parent: 'projects/demo', secretId, secret: { replication: { automatic: {} } } })
  const name = secret.name ?? ''
  for (const payload of payloads) await client.addSecretVersion({ parent: name, payload: { data: Buffer.from(payload) } })
  return name
}
