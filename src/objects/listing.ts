import type { ObjectRows } from './object-rows.ts'
import type { PageEnd } from './page-token.ts'
import type { StoredObject } from './stored.ts'

/** Source: cloud.google.com/storage/docs/json_api/v1/objects/list. */
export interface ListQuery {
  readonly prefix: string
  /** Names with it after the prefix are told once, cut after it. */
  readonly delimiter: string
  /** Inclusive, and exclusive; both hold for the cut prefixes as well. */
  readonly startOffset: string
  readonly endOffset: string
  /** Whether an object whose name is a cut prefix itself is told as an item too. */
  readonly includeTrailingDelimiter: boolean
  readonly versions: boolean
  /** Items and prefixes together. */
  readonly limit: number
  readonly after: PageEnd | undefined
  readonly matches: (nameOrPrefix: string) => boolean
}

export interface Listing {
  readonly items: readonly StoredObject[]
  readonly prefixes: readonly string[]
  /** Where to go on; undefined when there is no more. */
  readonly end: PageEnd | undefined
}

/** One page, in the order of UTF-8 bytes. A cut prefix is passed by a seek, never by reading what is under it. */
export function listObjects(rows: ObjectRows, bucketId: number, query: ListQuery): Listing {
  const bounds = readBounds(query)
  const items: StoredObject[] = []
  const prefixes: string[] = []
  let slots = 0
  let end = query.after
  let from: Buffer | undefined = startOf(query, bounds)
  while (from !== undefined) {
    const start: Buffer = from
    from = undefined
    for (const row of rows.from(bucketId, start, query.versions)) {
      const cut = cutPrefix(row.name, bounds)
      const key = cut ?? row.name
      if (isPast(key, bounds)) return { items, prefixes, end: undefined }
      const told = key.toString()
      if (!isGiven(row, query) && bounds.start.compare(key) <= 0 && query.matches(told)) {
        if (slots === query.limit) return { items, prefixes, end }
        slots += 1
        const object = cut === undefined || (query.includeTrailingDelimiter && cut.equals(row.name)) ? row.read() : undefined
        if (object !== undefined) items.push(object)
        if (cut !== undefined) prefixes.push(told)
        end = { name: Buffer.from(key), generation: query.versions ? object?.generation : undefined }
      }
      if (cut === undefined) continue
      from = afterAllUnder(cut)
      break
    }
  }
  return { items, prefixes, end: undefined }
}

interface Bounds {
  readonly prefix: Buffer
  readonly delimiter: Buffer
  readonly start: Buffer
  readonly end: Buffer
}

function readBounds({ prefix, delimiter, startOffset, endOffset }: ListQuery): Bounds {
  return { prefix: Buffer.from(prefix), delimiter: Buffer.from(delimiter), start: Buffer.from(startOffset), end: Buffer.from(endOffset) }
}

/** With a delimiter, what is under a cut prefix may lie below the start and its prefix not: rows are sought from the start on all the same. */
function startOf(query: ListQuery, bounds: Bounds): Buffer {
  const first = bounds.prefix.compare(bounds.start) > 0 ? bounds.prefix : bounds.start
  if (query.after === undefined) return first
  const { name, generation } = query.after
  const cut = cutPrefix(name, bounds)
  const next = cut !== undefined ? afterAllUnder(cut) : generation === undefined ? after(name) : name
  return next.compare(first) > 0 ? next : first
}

/** Whether an earlier page gave this generation: those of one name ascend. */
function isGiven(row: { readonly name: Buffer; read(): StoredObject }, { after: end, versions }: ListQuery): boolean {
  return versions && end?.generation !== undefined && row.name.equals(end.name) && row.read().generation <= end.generation
}

function isPast(key: Buffer, { prefix, end }: Bounds): boolean {
  return !key.subarray(0, prefix.length).equals(prefix) || (end.length > 0 && key.compare(end) >= 0)
}

function cutPrefix(name: Buffer, { prefix, delimiter }: Bounds): Buffer | undefined {
  const at = delimiter.length === 0 ? -1 : name.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : name.subarray(0, at + delimiter.length)
}

/** The first name after this one. */
function after(name: Buffer): Buffer {
  return Buffer.concat([name, Buffer.from([0])])
}

/** The first name after all that start with `prefix`. 0xff is in no UTF-8 text. */
function afterAllUnder(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.from([0xff])])
}
