/** Whether `part` stands in `data` at `start`. */
export function startsWith(data: Buffer, part: Buffer, start: number): boolean {
  const end = start + part.length
  return end <= data.length && data.compare(part, 0, part.length, start, end) === 0
}
