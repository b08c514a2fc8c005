import { CloudError } from '../base/cloud-error.ts'

export interface Page<T> {
  readonly items: readonly T[]
  /** The token of the next page. Empty on the last page. */
  readonly nextPageToken: string
}

interface Named {
  readonly name: string
}

/**
 * One page of a list that is ordered by name, below `parent`. The token has the last name of the page before, so no page repeats or loses an item.
 * @param list gives items after the name `after`, at most `limit`
 * @param pageSize 0 means the default, 100; at most 1000
 * @throws CloudError INVALID_ARGUMENT for a negative size, or a token that this list did not give
 */
export function paginate<T extends Named>(
  list: (after: string, limit: number) => readonly T[],
  parent: string,
  pageSize: number,
  pageToken: string,
): Page<T> {
  const size = readSize(pageSize)
  const found = list(readPageToken(pageToken, `${parent}/`), size + 1)
  const items = found.slice(0, size)
  return { items, nextPageToken: found.length > size ? toPageToken(items.at(-1)?.name ?? '') : '' }
}

/**
 * One page of a list in another order. When the item that a token names is gone, the list ends early.
 * @throws CloudError as `paginate`
 */
export function paginateList<T extends Named>(all: readonly T[], pageSize: number, pageToken: string): Page<T> {
  const size = readSize(pageSize)
  const last = readPageToken(pageToken, '')
  const begin = last === '' ? 0 : all.findIndex(({ name }) => name === last) + 1
  const items = last !== '' && begin === 0 ? [] : all.slice(begin, begin + size)
  const isMore = items.length > 0 && begin + items.length < all.length
  return { items, nextPageToken: isMore ? toPageToken(items.at(-1)?.name ?? '') : '' }
}

function toPageToken(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url')
}

/** The name in `token`, which must begin with `prefix`. Empty without a token. */
function readPageToken(token: string, prefix: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8')
  if (name === '' ? token === '' : name.startsWith(prefix)) return name
  throw new CloudError('INVALID_ARGUMENT', 'page_token is not one that this list gave.', 'Start again without it.')
}

function readSize(pageSize: number): number {
  if (pageSize < 0) throw new CloudError('INVALID_ARGUMENT', 'page_size must not be negative.', 'Leave it out, or send a positive number.')
  return Math.min(pageSize || 100, 1000)
}
