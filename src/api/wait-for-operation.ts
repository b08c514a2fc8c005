import { isRecord } from '../base/is-record.ts'
import { toError, type Json } from './google-api.ts'

/**
 * Waits until an operation of google.longrunning is finished, and gives its response.
 * @param wait calls `.../NAME:wait`, where NAME is the operation's full name, and gives the operation
 * @throws CloudError the error of a failed operation
 */
export async function waitForOperation(started: Json, wait: (name: string) => Promise<Json>): Promise<Json> {
  const name = String(started['name'])
  let current = started
  while (current['done'] !== true) current = await wait(name)
  if (current['error'] !== undefined) throw toError(current['error'], 500, name)
  return isRecord(current['response']) ? current['response'] : {}
}
