import type { IncomingMessage } from 'node:http'
import { CloudError } from '../base/cloud-error.ts'
import type { InstanceTokens } from './instance-tokens.ts'
import {
  entryNames,
  instanceScopes,
  isDirectory,
  metadataTree,
  nodeAt,
  toListing,
  toRecursive,
  toRecursiveText,
  toText,
  type MetadataIdentity,
  type MetadataNode,
  type MetadataProject,
} from './metadata-tree.ts'
import type { Tokens } from './tokens.ts'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly location?: string
}

export interface AnswerNeeds {
  readonly tokens: Tokens
  readonly instanceTokens: InstanceTokens
}

const prefix = '/computeMetadata/v1'
const text = 'application/text'
const json = 'application/json'

/** Decides what a request is answered. @throws CloudError NOT_FOUND, INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED */
export async function answerMetadata(
  request: IncomingMessage,
  identity: MetadataIdentity,
  project: MetadataProject,
  needs: AnswerNeeds,
): Promise<Answer> {
  const [pathname = '/', ...queries] = (request.url ?? '/').split('?')
  const searchParams = new URLSearchParams(queries.join('?'))
  checkRequest(request, pathname)
  if (pathname === '/') return ok(text, 'computeMetadata/\n')
  if (pathname === '/computeMetadata' || pathname === '/computeMetadata/') return ok(text, 'v1/\n')
  if (pathname !== prefix && !pathname.startsWith(`${prefix}/`)) throw unknownPath(pathname)
  if (searchParams.get('wait_for_change')?.toLowerCase() === 'true') {
    throw new CloudError(
      'UNIMPLEMENTED',
      'wait_for_change is not emulated by devcloud.',
      'Ask without it: nothing changes while an instance runs.',
    )
  }
  const words = readWords(pathname)
  const token = await tokenAnswer(words, searchParams, identity, project, needs)
  if (token !== undefined) return token
  const node = nodeAt(metadataTree(identity, project), words)
  if (node === undefined) throw unknownPath(pathname)
  return nodeAnswer(node, pathname, searchParams)
}

/** The decoded words of a path below the prefix. Clients write the `@` of an email as `@` or as `%40`. */
function readWords(pathname: string): readonly string[] {
  try {
    return decodeURIComponent(pathname.slice(prefix.length))
      .split('/')
      .filter((word) => word !== '')
  } catch {
    throw unknownPath(pathname)
  }
}

/** Checks what every path asks for: the header `Metadata-Flavor`, and a request that no proxy passed on. */
function checkRequest({ method, headers }: IncomingMessage, pathname: string): void {
  if (headers['x-forwarded-for'] !== undefined) {
    throw new CloudError('PERMISSION_DENIED', 'Requests with X-Forwarded-For are refused.', 'Ask the metadata server directly.')
  }
  if (pathname !== '/' && headers['metadata-flavor']?.toString().toLowerCase() !== 'google') {
    throw new CloudError('PERMISSION_DENIED', 'Missing Metadata-Flavor:Google header.', 'Send "Metadata-Flavor: Google".')
  }
  if (method !== 'GET' && method !== 'HEAD') {
    throw new CloudError('UNIMPLEMENTED', `${method} ${pathname} is not emulated by devcloud.`, 'Metadata of Cloud Run is read with GET.')
  }
}

/** Answers `service-accounts/ACCOUNT/token` and `identity`, whose values are made for each request. @returns undefined for another path */
async function tokenAnswer(
  words: readonly string[],
  query: URLSearchParams,
  { email, instanceId }: MetadataIdentity,
  project: MetadataProject,
  { tokens, instanceTokens }: AnswerNeeds,
): Promise<Answer | undefined> {
  const [instance, accounts, account, what, ...rest] = words
  if (instance !== 'instance' || accounts !== 'service-accounts' || rest.length > 0) return undefined
  if (account !== 'default' && account !== email) return undefined
  if (what === 'token') {
    const scopes = (query.get('scopes') ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
    const { token, expiresInSeconds } = instanceTokens.get(email, scopes.length > 0 ? scopes : instanceScopes)
    return ok(json, JSON.stringify({ access_token: token, expires_in: expiresInSeconds, token_type: 'Bearer' }))
  }
  if (what !== 'identity') return undefined
  const audience = query.get('audience') ?? ''
  const format = query.get('format') ?? 'standard'
  if (audience === '') throw new CloudError('INVALID_ARGUMENT', 'non-empty audience parameter required', 'Add ?audience=URL.')
  if (format !== 'standard' && format !== 'full') {
    throw new CloudError('INVALID_ARGUMENT', `format must be standard or full, not "${format}".`, 'Leave it out, or send format=full.')
  }
  const full = { projectId: project.id, projectNumber: project.number, zone: `${project.region}-1`, instanceId }
  return ok('text/html', await tokens.idToken(email, audience, format === 'full' ? { full } : {}))
}

/** Redirects a directory without its final slash: the relative paths of its entries need the slash. */
function nodeAnswer(node: MetadataNode, pathname: string, query: URLSearchParams): Answer {
  const recursive = query.get('recursive')?.toLowerCase() === 'true'
  const alt = query.get('alt')?.toLowerCase()
  if (alt !== undefined && alt !== 'json' && alt !== 'text') {
    throw new CloudError('INVALID_ARGUMENT', `alt must be json or text, not "${alt}".`, 'Leave it out, or send alt=json.')
  }
  if (!isDirectory(node)) {
    if (pathname.endsWith('/')) throw unknownPath(pathname)
    return alt === 'json' ? ok(json, JSON.stringify(node)) : ok(text, toText(node))
  }
  if (recursive) return alt === 'text' ? ok(text, toRecursiveText(node)) : ok(json, JSON.stringify(toRecursive(node)))
  if (!pathname.endsWith('/')) {
    return { status: 301, type: text, body: `${pathname}/\n`, location: `${pathname}/${query.size > 0 ? `?${query}` : ''}` }
  }
  return alt === 'json' ? ok(json, JSON.stringify(entryNames(node))) : ok(text, toListing(node))
}

function ok(type: string, body: string): Answer {
  return { status: 200, type, body }
}

function unknownPath(pathname: string): CloudError {
  return new CloudError('NOT_FOUND', `The metadata server has no ${pathname}.`, 'List what it has: /computeMetadata/v1/?recursive=true')
}
