/** Each JSON value of a stream that has one a line, as Docker tells progress and events. */
export async function* jsonLines<T>(stream: AsyncIterable<unknown>): AsyncIterable<T> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as T
}
