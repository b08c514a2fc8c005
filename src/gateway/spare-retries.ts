import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * gcloud, gsutil and bq try every answer of 500 and above seven times, half a minute in all, and then blame the network
 * (apitools, http_wrapper.py). To them a 501 goes out as 405: they tell its words at once. The body still says 501 and UNIMPLEMENTED.
 */
export function spareRetries(request: IncomingMessage, response: ServerResponse): void {
  if (!/\b(apitools|google-cloud-sdk)\b/.test(request.headers['user-agent'] ?? '')) return
  const writeHead = response.writeHead.bind(response) as (status: number, ...rest: unknown[]) => ServerResponse
  response.writeHead = (status: number, ...rest: unknown[]) => writeHead(status === 501 ? 405 : status, ...rest)
}
