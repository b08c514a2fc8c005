import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt'

/** Compares by the time of creation, newest first, as Cloud Run's lists are; then by name. */
export function byNewest(a: Listed, b: Listed): number {
  return msOf(b) - msOf(a) || (a.name < b.name ? -1 : 1)
}

export interface Listed {
  readonly name: string
  readonly createTime?: Timestamp | undefined
}

function msOf({ createTime }: Listed): number {
  return createTime === undefined ? 0 : timestampMs(createTime)
}
