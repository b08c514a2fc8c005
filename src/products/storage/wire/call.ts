import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../../api/caller.ts'
import { authorityOf } from '../../../api/routes.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { Turn } from '../../../base/turn.ts'
import type { Preconditions } from '../../../objects/preconditions.ts'
import type { ObjectStore } from '../../../objects/object-store.ts'
import { checkAccess } from '../access.ts'
import type { View } from '../bucket-resource.ts'
import { invalid, required } from '../names.ts'

/** Largest JSON body: Google takes metadata of 8 KiB, and policies of 64 KiB. */
const jsonLimitBytes = 4 << 20

/** One request, its parts read by name. */
export class Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly query: URLSearchParams
  /** This request's share of the event loop. */
  readonly turn = new Turn()
  readonly #params: ReadonlyMap<string, string>
  readonly #store: ObjectStore

  constructor(request: FastifyRequest, reply: FastifyReply, params: ReadonlyMap<string, string>, store: ObjectStore) {
    this.request = request
    this.reply = reply
    this.#params = params
    this.#store = store
    this.query = queryOf(request)
  }

  get caller(): Caller | undefined {
    return this.request.caller
  }

  /** A part of the path, decoded. */
  param(name: string): string {
    const value = this.#params.get(name)
    if (value === undefined) throw required(name)
    return value
  }

  /** A query parameter; undefined when absent or empty. */
  text(name: string): string | undefined {
    return this.query.get(name) || undefined
  }

  /** Python's clients write True. */
  flag(name: string): boolean {
    return this.text(name)?.toLowerCase() === 'true'
  }

  /** @throws CloudError INVALID_ARGUMENT for what is no whole number */
  integer(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (!/^\d{1,19}$/.test(text)) throw invalid(`Invalid value for ${name}: ${text}`, 'Send a whole number.')
    return Number(text)
  }

  /** @param side `Source` for those of a copy's source */
  preconditions(side: '' | 'Source' = ''): Preconditions {
    return {
      ifGenerationMatch: this.integer(`if${side}GenerationMatch`),
      ifGenerationNotMatch: this.integer(`if${side}GenerationNotMatch`),
      ifMetagenerationMatch: this.integer(`if${side}MetagenerationMatch`),
      ifMetagenerationNotMatch: this.integer(`if${side}MetagenerationNotMatch`),
    }
  }

  view(usual: 'full' | 'noAcl' = 'noAcl'): View {
    return { origin: originOf(this.request), full: (this.text('projection') ?? usual) === 'full' }
  }

  /** @throws CloudError ANONYMOUS when the caller has no token and allUsers no such permission */
  allow(permission: string, bucket?: string, object?: { readonly name: string; readonly generation?: number | undefined }): void {
    if (this.caller !== undefined) return
    const found = bucket === undefined ? undefined : this.#store.findBucket(bucket)
    const key = found !== undefined && object !== undefined ? { bucket: found.name, generation: undefined, ...object } : undefined
    checkAccess(this.caller, permission, found, key === undefined ? undefined : this.#store.findObject(key))
  }

  /** To replace an object takes the right to delete it. @throws CloudError ANONYMOUS */
  allowReplacing(bucket: string, name: string): void {
    if (this.caller !== undefined || this.#store.findObject({ bucket, name, generation: undefined }) === undefined) return
    this.allow('storage.objects.delete', bucket)
  }

  /** The body as JSON; an empty one is `{}`. @throws CloudError INVALID_ARGUMENT */
  async json(): Promise<unknown> {
    return parseJson(await readWhole(this.request.content, jsonLimitBytes))
  }
}

/** Where links must lead: the host by which the client came. */
export function originOf(request: FastifyRequest): string {
  const authority = authorityOf(request.headers)
  if (/\.googleapis\.com(:443)?$/.test(authority)) return `https://${authority.replace(/:443$/, '')}`
  const forwarded = request.headers['x-forwarded-proto']
  return `${typeof forwarded === 'string' ? forwarded : request.protocol}://${authority}`
}

export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams((request.raw.url ?? '').split('?').slice(1).join('?'))
}

/** A header with one value. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** A small body, whole. @throws CloudError INVALID_ARGUMENT past the limit */
export async function readWhole(source: AsyncIterable<unknown>, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size > limitBytes) throw invalid('The request body is too large.', `Send at most ${limitBytes} bytes.`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** @throws CloudError INVALID_ARGUMENT */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch (error) {
    throw invalid(`Parse Error: ${messageOf(error)}`, 'Send JSON.')
  }
}
