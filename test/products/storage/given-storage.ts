import { Storage, type Bucket, type StorageOptions } from '@google-cloud/storage'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { openLog } from '../../../src/base/log.ts'
import { objectTables } from '../../../src/objects/schema.ts'
import { cloudStorage, type CloudStorage } from '../../../src/products/storage/index.ts'
import type { SigningKeys } from '../../../src/products/storage/wire/signed-url.ts'
import { openState, type State } from '../../../src/state/state.ts'
import { send, type Answer, type SendOptions } from '../../api/send.ts'
import { givenApi, givenState, type GivenApi } from '../../api/given-api.ts'

export interface GivenStorage extends AsyncDisposable {
  readonly api: GivenApi
  readonly product: CloudStorage
  readonly state: State
  /** Google's own Node client. */
  readonly client: Storage
  /** A bucket of that client: `bucket`. */
  readonly bucket: Bucket
  /** Of the state: pass it to another `givenStorage` to go on there. */
  readonly directory: string
  /** A request as it stands. @param target path and query */
  send(method: string, target: string, options?: SendOptions): Promise<Answer>
}

/** Asks without a token, on Google's own host: nobody's right counts but that of allUsers. */
export const anonymous = { host: 'storage.googleapis.com' }

/** Storage behind the endpoints port, with one bucket. The project `demo` has the number 123456789012. */
export async function givenStorage(
  options: {
    readonly clock?: Clock
    readonly directory?: string
    readonly client?: StorageOptions
    readonly signingKeys?: SigningKeys
  } = {},
): Promise<GivenStorage> {
  const state = options.directory === undefined ? givenState(objectTables) : openState(options.directory, [objectTables])
  const clock = options.clock ?? systemClock
  const product = cloudStorage({
    state,
    clock,
    log: openLog(undefined),
    project: () => ({ id: 'demo', number: '123456789012' }),
    signingKeys: options.signingKeys ?? (() => []),
    isAtHome: () => true,
    projectPolicy: () => ({ bindings: [] }),
  })
  const api = await givenApi(product)
  const client = new Storage({ apiEndpoint: api.url, projectId: 'demo', ...options.client })
  const bucket = client.bucket('bucket')
  if (options.directory === undefined) await bucket.create()
  return {
    api,
    product,
    state,
    client,
    bucket,
    directory: state.directory,
    send: (method, target, sent = {}) => send(api.port, method, target, sent),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
      await product[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}
