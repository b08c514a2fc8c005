import type { Turn } from '../base/turn.ts'
import type { ListedRow, ListStart, ObjectRows } from './object-rows.ts'
import type { PageEnd } from './page-token.ts'
import type { StoredObject } from './stored.ts'

/** Source: cloud.google.com/storage/docs/json_api/v1/objects/list. */
export interface ListQuery {
  readonly prefix: string
  /** Names that have the delimiter after the prefix are listed once, cut after the delimiter: a cut prefix. */
  readonly delimiter: string
  /** `startOffset` is included and `endOffset` is not. Both count for cut prefixes too. */
  readonly startOffset: string
  readonly endOffset: string
  /** Whether an object whose whole name is a cut prefix is listed as an item too. */
  readonly includeTrailingDelimiter: boolean
  readonly versions: boolean
  /** The most items and prefixes together. */
  readonly limit: number
  readonly after: PageEnd | undefined
  readonly matches: (nameOrPrefix: string) => boolean
}

export interface Listing {
  readonly items: readonly StoredObject[]
  readonly prefixes: readonly string[]
  /** Where the next page begins. Undefined on the last page. */
  readonly end: PageEnd | undefined
}

/** The most characters of attributes on one page. A page that is cut by this limit has a token although it has fewer objects than asked for. */
const pageLimitChars = 2 << 20

/** Lists one page, in the order of UTF-8 bytes. A seek skips the objects below a cut prefix. */
export async function listObjects(rows: ObjectRows, bucketId: number, query: ListQuery, turn: Turn): Promise<Listing> {
  const page = new Page(query)
  let from: ListStart | undefined = page.start
  while (from !== undefined) {
    const start: ListStart = from
    from = undefined
    for (const row of rows.from(bucketId, start, query.versions)) {
      const cut = page.cutPrefix(row.name)
      if (!page.add(row, cut)) return page.listing
      if (cut !== undefined) from = { name: afterAllUnder(cut), generation: undefined }
      else if (turn.isOver)
        from = query.versions ? { name: row.name, generation: row.generation } : { name: after(row.name), generation: undefined }
      if (from !== undefined) break
    }
    if (turn.isOver) await turn.next()
  }
  return page.ended
}

/** A page that fills. */
class Page {
  readonly start: ListStart
  readonly #query: ListQuery
  readonly #bounds: Bounds
  readonly #items: StoredObject[] = []
  readonly #prefixes: string[] = []
  #end: PageEnd | undefined
  #isDone = false
  #chars = 0

  constructor(query: ListQuery) {
    this.#query = query
    this.#bounds = readBounds(query)
    this.#end = query.after
    this.start = startOf(query, this.#bounds)
  }

  get listing(): Listing {
    return { items: this.#items, prefixes: this.#prefixes, end: this.#isDone ? undefined : this.#end }
  }

  /** The page when no further row exists. */
  get ended(): Listing {
    return { ...this.listing, end: undefined }
  }

  cutPrefix(name: Buffer): Buffer | undefined {
    return cutPrefix(name, this.#bounds)
  }

  /** Adds a row. False when the page is full or the end is passed. */
  add(row: ListedRow, cut: Buffer | undefined): boolean {
    const { limit, versions, includeTrailingDelimiter, matches } = this.#query
    const key = cut ?? row.name
    this.#isDone = isPast(key, this.#bounds)
    if (this.#isDone) return false
    if (this.#bounds.start.compare(key) > 0) return true
    const told = key.toString()
    if (!matches(told)) return true
    if (this.#items.length + this.#prefixes.length >= limit || this.#chars > pageLimitChars) return false
    const object = cut === undefined || (includeTrailingDelimiter && cut.equals(row.name)) ? row.read() : undefined
    if (object !== undefined) this.#items.push(object)
    if (cut !== undefined) this.#prefixes.push(told)
    this.#chars += object?.attributes.length ?? 0
    this.#end = { name: Buffer.from(key), generation: versions ? object?.generation : undefined }
    return true
  }
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

/** The first row to read. With a delimiter a cut prefix may lie behind the start although its objects lie before the start; rows are read from the start all the same. */
function startOf(query: ListQuery, bounds: Bounds): ListStart {
  const first = { name: bounds.prefix.compare(bounds.start) > 0 ? bounds.prefix : bounds.start, generation: undefined }
  if (query.after === undefined) return first
  const { name, generation } = query.after
  const cut = cutPrefix(name, bounds)
  const next: ListStart =
    cut !== undefined
      ? { name: afterAllUnder(cut), generation: undefined }
      : generation === undefined
        ? { name: after(name), generation: undefined }
        : { name, generation }
  return next.name.compare(first.name) >= 0 ? next : first
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
