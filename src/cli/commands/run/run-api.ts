import { CloudError } from '../../../base/cloud-error.ts'
import type { ApiAnswer, ApiRequest } from '../../../daemon/control-protocol.ts'
import { waitForOperation } from '../../../api/wait-for-operation.ts'
import type { ControlClient } from '../../control-client.ts'

/** Google's own API of Cloud Run, asked through the daemon. Paths are of v2, `projects/...`; or whole URLs. */
export interface RunApi {
  /** @throws CloudError as the product answered it */
  call(method: ApiRequest['method'], path: string, body?: object): Promise<ApiAnswer>
  /** The same for GET, and undefined for NOT_FOUND. */
  find(path: string): Promise<ApiAnswer | undefined>
  /** Every item of a list, over its pages. @param key where the answer has them: `services` */
  list(path: string, key: string): Promise<readonly ApiAnswer[]>
  /** Waits for an operation, and tells each time it is not over. @returns its response @throws CloudError as the operation failed */
  wait(operation: ApiAnswer, onPoll?: () => Promise<void>): Promise<ApiAnswer>
}

const v2 = 'https://run.googleapis.com/v2'

export function openRunApi(client: ControlClient): RunApi {
  const call: RunApi['call'] = (method, path, body) => {
    const url = path.startsWith('https:') ? path : `${v2}/${path}`
    const request: ApiRequest = { method, url, ...(body !== undefined && { body }) }
    return client.post<ApiAnswer>('/api', request)
  }
  return {
    call,
    async find(path) {
      try {
        return await call('GET', path)
      } catch (error) {
        if (error instanceof CloudError && error.code === 'NOT_FOUND') return undefined
        throw error
      }
    },
    async list(path, key) {
      const items: ApiAnswer[] = []
      for (let token = ''; ;) {
        const page = await call('GET', `${path}${path.includes('?') ? '&' : '?'}pageToken=${encodeURIComponent(token)}`)
        const found = page[key]
        if (Array.isArray(found)) items.push(...(found as ApiAnswer[]))
        token = typeof page['nextPageToken'] === 'string' ? page['nextPageToken'] : ''
        if (token === '') return items
      }
    },
    wait: (operation, onPoll) =>
      waitForOperation(operation, async (name) => {
        const current = await call('POST', `${name}:wait`, { timeout: '1s' })
        await onPoll?.()
        return current
      }),
  }
}
