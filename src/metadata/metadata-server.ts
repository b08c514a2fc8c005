import type { IncomingMessage, ServerResponse } from 'node:http'
import { codes, CloudError } from '../base/cloud-error.ts'
import type { Clock } from '../base/clock.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { answerMetadata, type Answer } from './metadata-answer.ts'
import { openInstanceTokens } from './instance-tokens.ts'
import type { MetadataIdentity, MetadataProject } from './metadata-tree.ts'
import type { Tokens } from './tokens.ts'

export interface MetadataServerOptions {
  readonly tokens: Tokens
  readonly project: (id: string) => MetadataProject
  readonly log: Log
  readonly clock?: Clock
}

/** Answers one request of the instance that `identity` describes. The caller knows the instance by its socket, never by a header. */
export type MetadataHandler = (request: IncomingMessage, response: ServerResponse, identity: MetadataIdentity) => void

/**
 * metadata.google.internal as Cloud Run's instances see it. Source: cloud.google.com/run/docs/container-contract, "Instance metadata server",
 * and cloud.google.com/compute/docs/metadata/querying-metadata for what all paths have in common.
 */
export function metadataServer({ tokens, project, log, clock = systemClock }: MetadataServerOptions): MetadataHandler {
  const instanceTokens = openInstanceTokens(tokens, clock)
  return (request, response, identity) => {
    request.resume()
    answerMetadata(request, identity, project(identity.project), { tokens, instanceTokens }).then(
      (answer) => send(request, response, answer),
      (error: unknown) => {
        if (!(error instanceof CloudError)) log.error({ err: error, path: pathOf(request) }, 'metadata request failed')
        const status = error instanceof CloudError ? codes[error.code].http : 500
        const text = error instanceof CloudError ? `${error.message} ${error.next}` : 'Internal error of the metadata server.'
        send(request, response, { status, type: 'text/plain; charset=UTF-8', body: text })
      },
    )
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, location }: Answer): void {
  if (response.destroyed) return
  response.writeHead(status, {
    'Metadata-Flavor': 'Google',
    Server: 'Metadata Server for VM',
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'X-XSS-Protection': '0',
    'X-Frame-Options': 'SAMEORIGIN',
    ...(location !== undefined && { Location: location }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The path for the log, without the query: the log needs no audience. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/'
}
