import { isRecord } from '../../../base/is-record.ts'
import { toError, type GoogleApi, type Json } from '../../../api/google-api.ts'

const run = 'https://run.googleapis.com/v2'

/** Polls until an operation of Cloud Run is done, and gives its response. @throws CloudError as the deployment failed */
export async function waitForOperation(api: GoogleApi, started: Json): Promise<Json> {
  let current = started
  while (current['done'] !== true) {
    current = await api.call('POST', `${run}/${String(started['name'])}:wait`, { timeout: '10s' })
  }
  if (current['error'] !== undefined) throw toError(current['error'], 500, String(started['name']))
  return isRecord(current['response']) ? current['response'] : {}
}
