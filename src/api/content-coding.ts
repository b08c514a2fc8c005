import { Readable } from 'node:stream'
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib'
import { CloudError } from '../base/cloud-error.ts'

/** A request's stream, as Node and `inject` give it. */
type Raw = Readable & { readonly headers: Readonly<Record<string, string | string[] | undefined>> }

/**
 * The body without its `Content-Encoding`. Google's Java clients pack every body with gzip. Nothing is read before somebody asks for the first byte, so a
 * route for which the header means another thing (an object of the XML API keeps its coding) can read the raw request. A reader that stops early leaves
 * the connection open for the answer.
 * @throws CloudError INVALID_ARGUMENT during the read, for an unknown coding and for bytes of another coding
 */
export async function* readContent(raw: Raw): AsyncGenerator<Buffer> {
  const coding = codingOf(raw)
  const decoder = coding === '' ? undefined : toDecoder(coding)
  try {
    const source = decoder === undefined ? raw : feed(raw, decoder)
    for await (const chunk of source.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (decoder === undefined || !code.startsWith('Z_')) throw error
    const isEmpty = code === 'Z_BUF_ERROR' && decoder.bytesWritten === 0
    if (!isEmpty) throw invalid(`The body is not what "Content-Encoding: ${coding}" says.`, 'Send it whole.', error)
  } finally {
    if (decoder !== undefined) raw.unpipe(decoder)
    decoder?.destroy()
  }
}

/**
 * The unpacked body as a stream for a parser of fastify. Undefined for a body without a coding.
 * @param limitBytes the limit of the unpacked bytes: a small body may unpack to a thousand times its size
 */
export function decodedStream(raw: Raw, limitBytes: number): (Readable & { readonly receivedEncodedLength: number }) | undefined {
  if (codingOf(raw) === '') return undefined
  const receivedEncodedLength = Number(raw.headers['content-length'] ?? 0) // what fastify holds against the header; Node's parser has counted
  return Object.assign(Readable.from(upTo(limitBytes, readContent(raw)), { objectMode: false }), { receivedEncodedLength })
}

async function* upTo(limitBytes: number, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > limitBytes)
      throw invalid('The request body is too large.', `Send at most ${limitBytes} bytes, counted as they are unpacked.`)
    yield chunk
  }
}

function codingOf({ headers }: Raw): string {
  const told = [headers['content-encoding'] ?? []].flat().join(',').trim().toLowerCase()
  return told === 'identity' ? '' : told
}

/** Source: RFC 9110, section 8.4.1. */
function toDecoder(coding: string): Gunzip | Inflate {
  if (coding === 'gzip' || coding === 'x-gzip') return createGunzip()
  if (coding === 'deflate') return createInflate()
  throw invalid(`Content-Encoding "${coding}" is not supported.`, 'Send gzip, deflate, or the plain body.')
}

/** Passes errors on without a pipeline, which would end the connection at the first bad byte, before the answer. */
function feed(raw: Raw, decoder: Gunzip | Inflate): Readable {
  raw.once('error', (error) => decoder.destroy(error)).once('aborted', () => decoder.destroy(new Error('The client went away.')))
  return raw.pipe(decoder)
}

function invalid(message: string, next: string, cause?: unknown): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next, { cause })
}
