/** The end of a page: the last name on the page, item or prefix. `generation` is present when all versions are listed. */
export interface PageEnd {
  readonly name: Buffer
  readonly generation: number | undefined
}

/** Base64 of a protobuf whose field 1 is the name: `CgJhLw==` is `a/`, as Google's tokens are. Field 2 is the generation. */
export function toPageToken({ name, generation }: PageEnd): string {
  const head = Buffer.from([0x0a, ...varint(name.length)])
  const tail = generation === undefined ? [] : [0x10, ...varint(generation)]
  return Buffer.concat([head, name, Buffer.from(tail)]).toString('base64')
}

/** Undefined for text that is no page token. */
export function readPageToken(token: string): PageEnd | undefined {
  const bytes = Buffer.from(token, 'base64')
  if (bytes[0] !== 0x0a) return undefined
  const length = readVarint(bytes, 1)
  const end = length.next + length.value
  if (end > bytes.length) return undefined
  const generation = bytes[end] === 0x10 ? readVarint(bytes, end + 1).value : undefined
  return { name: bytes.subarray(length.next, end), generation }
}

function varint(value: number): readonly number[] {
  const bytes = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  let next = at
  for (let scale = 1; next < bytes.length; scale *= 128) {
    const byte = bytes[next] ?? 0
    next += 1
    value += (byte & 127) * scale
    if (byte < 128) break
  }
  return { value, next }
}
