import { randomUUID } from 'node:crypto'
import { isRecord } from '../../../base/is-record.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../../api/caller.ts'
import { messageLimitBytes, readJson } from '../../../api/json-body.ts'
import { withoutNulls } from '../../../api/json-values.ts'
import { authorityOf } from '../../../api/routes.ts'
import type { Log } from '../../../base/log.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { Turn } from '../../../base/turn.ts'
import type { Preconditions } from '../../../objects/preconditions.ts'
import type { ObjectStore } from '../../../objects/object-store.ts'
import { checkAccess, mayInProject, type Asker } from '../access.ts'
import type { View } from '../bucket-resource.ts'
import { invalid, required } from '../names.ts'
import type { Parts } from './parts.ts'
import { decodeHeader, queryOf } from './query.ts'

/** One request, its parts read by name. */
export class Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly query: URLSearchParams
  /** This request's share of the event loop. */
  readonly turn = new Turn()
  readonly #params: ReadonlyMap<string, string>
  readonly #store: ObjectStore
  readonly #log: Log

  readonly asker: Asker

  constructor(request: FastifyRequest, reply: FastifyReply, params: ReadonlyMap<string, string>, { store, asker, log }: Parts) {
    this.request = request
    this.reply = reply
    this.#params = params
    this.#store = store
    this.#log = log
    this.asker = asker(request.caller)
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

  /** Python's clients write True. @throws CloudError INVALID_ARGUMENT for what is neither true nor false */
  flag(name: string): boolean {
    const text = this.text(name)?.toLowerCase()
    if (text === undefined || ['false', '0'].includes(text)) return false
    if (['true', '1'].includes(text)) return true
    throw invalid(`Invalid value for ${name}: ${text}`, 'Send true or false.')
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
    const projection = this.text('projection') ?? usual
    if (projection !== 'full' && projection !== 'noAcl') throw invalid(`Invalid value for projection: ${projection}`, 'Send full or noAcl.')
    return { origin: originOf(this.request), full: projection === 'full' }
  }

  /** @throws CloudError ANONYMOUS, FORBIDDEN when the caller may not, by what access.ts says */
  allow(permission: string, bucket?: string, object?: { readonly name: string; readonly generation?: number | undefined }): void {
    const found = bucket === undefined ? undefined : this.#store.findBucket(bucket)
    const key = found !== undefined && object !== undefined ? { bucket: found.name, generation: undefined, ...object } : undefined
    checkAccess(this.asker, permission, found, key === undefined ? undefined : this.#store.findObject(key))
  }

  /** What is asked of a project as a whole. @throws CloudError ANONYMOUS, FORBIDDEN */
  allowInProject(permission: string, project: string): void {
    checkAccess(this.asker, permission, undefined)
    if (mayInProject(this.asker, project)) return
    const words = `${this.caller?.email} does not have ${permission} access to the Google Cloud project.`
    throw new CloudError('PERMISSION_DENIED', words, 'Ask in the name of an account of that project.', { fault: 'FORBIDDEN' })
  }

  /** To replace an object takes the right to delete it. @throws CloudError ANONYMOUS */
  allowReplacing(bucket: string, name: string): void {
    if (this.#store.findObject({ bucket, name, generation: undefined }) === undefined) return
    this.allow('storage.objects.delete', bucket)
  }

  /** The body as JSON, what is null left out; an empty one is `{}`. @throws CloudError INVALID_ARGUMENT */
  async json(known?: ReadonlySet<string>): Promise<unknown> {
    return withoutNulls(await this.patch(known))
  }

  /**
   * The same with its nulls, which take away what is there.
   * @param known the documented keys: others are passed over, as Google does, and told to the log
   */
  async patch(known?: ReadonlySet<string>): Promise<unknown> {
    const input = readJson(await readWhole(this.request.content, messageLimitBytes)) ?? {}
    tellUnknown(input, known, this.#log)
    return input
  }
}

/** Marks a call that came in a batch: of such a one X-Forwarded-Proto is believed, which a client cannot send by itself (S33). */
export const batchMark = { name: 'x-devcloud-batch', value: randomUUID() } as const

/** Where links must lead: the host by which the client came. */
export function originOf(request: FastifyRequest): string {
  const authority = authorityOf(request.headers)
  if (/\.googleapis\.com(:443)?$/.test(authority)) return `https://${authority.replace(/:443$/, '')}`
  const protocol = headerOf(request, batchMark.name) === batchMark.value ? headerOf(request, 'x-forwarded-proto') : undefined
  return `${protocol ?? request.protocol}://${authority}`
}

/** A header with one value. @throws CloudError INVALID_ARGUMENT for what is not UTF-8 */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  const first = typeof value === 'string' ? value : value?.[0]
  return first === undefined ? undefined : decodeHeader(first)
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

/** Fields that Google does not know are passed over, as Google does: `lifecyle` has no effect there either. */
function tellUnknown(input: unknown, known: ReadonlySet<string> | undefined, log: Log): void {
  if (known === undefined || !isRecord(input)) return
  const fields = Object.keys(input).filter((key) => !known.has(key))
  if (fields.length > 0) log.warn({ fields }, 'Cloud Storage does not know these fields, and passes them over')
}
