import type { Collection } from '../state/collection.ts'
import { CloudError } from '../base/cloud-error.ts'

/** One page of names under `prefix`. The token is the last name of the page before, so pages neither repeat nor lose what stays. */
export interface Page {
  readonly items: readonly { readonly name: string; readonly value: string }[]
  /** Empty on the last page. */
  readonly nextPageToken: string
}

/**
 * @param pageSize 0 means the default of 100; at most 1000
 * @throws CloudError INVALID_ARGUMENT for a negative size, or a token that this list did not give
 */
export function paginate(rows: Collection, prefix: string, pageSize: number, pageToken: string): Page {
  if (pageSize < 0) throw new CloudError('INVALID_ARGUMENT', 'page_size must not be negative.', 'Leave it out, or send a positive number.')
  const size = Math.min(pageSize || 100, 1000)
  const found = rows.list(prefix, readPageToken(pageToken, prefix), size + 1)
  const items = found.slice(0, size)
  return { items, nextPageToken: found.length > size ? toPageToken(items.at(-1)?.name ?? '') : '' }
}

/**
 * The same over values that are in another order than their names. An item that went away while its token was under way ends the list early.
 * @throws CloudError as `paginate`
 */
export function paginateList<T extends { readonly name: string }>(
  all: readonly T[],
  pageSize: number,
  pageToken: string,
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  if (pageSize < 0) throw new CloudError('INVALID_ARGUMENT', 'page_size must not be negative.', 'Leave it out, or send a positive number.')
  const size = Math.min(pageSize || 100, 1000)
  const last = readPageToken(pageToken, '')
  const begin = last === '' ? 0 : all.findIndex(({ name }) => name === last) + 1
  const items = last !== '' && begin === 0 ? [] : all.slice(begin, begin + size)
  const isMore = items.length > 0 && begin + items.length < all.length
  return { items, nextPageToken: isMore ? toPageToken(items.at(-1)?.name ?? '') : '' }
}

export function toPageToken(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url')
}

/** The name that `token` stands for, which must be under `prefix`; empty for none. */
export function readPageToken(token: string, prefix: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8')
  if (name === '' ? token === '' : name.startsWith(prefix)) return name
  throw new CloudError('INVALID_ARGUMENT', 'page_token is not one that this list gave.', 'Start again without it.')
}
