import { invalid } from '../names.ts'

/** What a request to an upload session brings. `lastByte` is undefined where the body says it by its end. */
export type Chunk =
  | { readonly kind: 'query'; readonly totalBytes: number | undefined }
  | { readonly kind: 'bytes'; readonly firstByte: number; readonly lastByte: number | undefined; readonly totalBytes: number | undefined }

/**
 * Reads the Content-Range of an upload: `bytes 0-99/200`, `bytes 0-99/*`, `bytes 0-*\/*` (the Node client), `bytes *\/200`, `bytes *\/*`.
 * Without one the body is the whole object (storage trap 6). @throws CloudError INVALID_ARGUMENT
 */
export function readContentRange(header: string | undefined): Chunk {
  if (header === undefined) return { kind: 'bytes', firstByte: 0, lastByte: undefined, totalBytes: undefined }
  const match = /^\s*bytes[ =]\s*(?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)\s*$/i.exec(header)
  if (match === null) throw malformed(header)
  const [, first, last, total] = match
  const totalBytes = total === '*' ? undefined : Number(total)
  if (first === undefined) return { kind: 'query', totalBytes }
  const chunk = { kind: 'bytes', firstByte: Number(first), lastByte: last === '*' ? undefined : Number(last), totalBytes } as const
  if (chunk.lastByte !== undefined && chunk.lastByte < chunk.firstByte) throw malformed(header)
  if (Math.max(chunk.lastByte ?? 0, chunk.firstByte - 1) >= (totalBytes ?? Infinity)) throw malformed(header)
  return chunk
}

/** What to do with a chunk when so many bytes are there already. */
export type ChunkPlan =
  | { readonly kind: 'tell' }
  | { readonly kind: 'finish' }
  /** Bytes are missing before the first one (storage trap 3). */
  | { readonly kind: 'gap' }
  /** `skipBytes` of the body are there already. `isLast`: no byte follows. */
  | { readonly kind: 'append'; readonly skipBytes: number; readonly lengthBytes: number | undefined; readonly isLast: boolean }

/** Pure. Asking how far an upload is never ends it, unless the total is told and reached (storage traps 1 and 2). */
export function planChunk(chunk: Chunk, receivedBytes: number): ChunkPlan {
  if (chunk.kind === 'query') return { kind: chunk.totalBytes === receivedBytes ? 'finish' : 'tell' }
  const { firstByte, lastByte, totalBytes } = chunk
  if (firstByte > receivedBytes) return { kind: 'gap' }
  const isLast = lastByte === undefined || lastByte + 1 === totalBytes
  const lengthBytes = lastByte === undefined ? undefined : lastByte - firstByte + 1
  return { kind: 'append', skipBytes: receivedBytes - firstByte, lengthBytes, isLast }
}

/** Whether the object can be made, now that a chunk came to its end. Pure. */
export function isWhole(chunk: Chunk, receivedBytes: number): boolean {
  return chunk.totalBytes === undefined ? chunk.kind === 'bytes' && chunk.lastByte === undefined : chunk.totalBytes === receivedBytes
}

function malformed(header: string) {
  return invalid(`Failed to parse Content-Range header: ${header}`, 'Send bytes FIRST-LAST/TOTAL.')
}
