import { startCloud, type Cloud } from '../../src/fixture/start-cloud.ts'
import { send, type Answer, type SendOptions } from './send.ts'

export interface GivenCloud extends AsyncDisposable {
  readonly cloud: Cloud
  /** A request to the endpoints port as it stands. @param target path and query */
  send(method: string, target: string, options?: SendOptions): Promise<Answer>
}

/** Every product behind one endpoints port. */
export async function givenCloud(): Promise<GivenCloud> {
  const cloud = await startCloud()
  const port = Number(new URL(cloud.endpoint).port)
  return {
    cloud,
    send: (method, target, options) => send(port, method, target, options),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}
