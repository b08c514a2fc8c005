import { expect, test } from 'vitest'
import { readBoundary, readParts } from '../../../../src/products/storage/wire/multipart.ts'

const body = 'preamble\r\n--b\r\nA: 1\r\n\r\nfirst\r\n--bx\n--b\r\n\r\n\r\n--b  \r\nB:2\r\n\r\n--b\nC: 3\n\n\r\n\r\r\n--b--\r\nepilogue'

test('a multipart body reads the same however it is cut', async () => {
  for (let size = 1; size <= body.length; size += 1) {
    const parts = await read(body, size)
    expect({ size, parts }).toEqual({
      size,
      parts: [
        ['first\r\n--bx', 'a=1'],
        ['', ''],
        ['', 'b=2'],
        ['\r\n\r', 'c=3'],
      ],
    })
  }
})

test('a body that is not read is passed over', async () => {
  const names: string[] = []
  for await (const { headers } of readParts(chunks(body, 7), 'b')) names.push([...headers.keys()].join())
  expect(names).toEqual(['a', '', 'b', 'c'])
})

test('a body without its closing boundary is refused', async () => {
  for (const cut of ['--b\r\n\r\nx', '--b\r\n\r\nx\r\n--b', '--b\r\nA: 1', '', 'no boundary at all']) {
    await expect(read(cut, 3)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  }
})

test('storage trap 8: a boundary is read bare, in double quotes and in single ones', () => {
  expect(readBoundary('multipart/related; boundary=a=b')).toBe('a=b')
  expect(readBoundary('multipart/related; type="x/y"; boundary="a;b"')).toBe('a;b')
  expect(readBoundary("Multipart/Related; boundary='==a=='; charset=utf-8")).toBe('==a==')
  expect(() => readBoundary('application/json')).toThrow('boundary')
})

async function read(text: string, size: number): Promise<readonly (readonly [string, string])[]> {
  const parts: (readonly [string, string])[] = []
  for await (const part of readParts(chunks(text, size), 'b')) {
    const headers = [...part.headers].map(([name, value]) => `${name}=${value}`).join()
    parts.push([Buffer.concat(await Array.fromAsync(part.body)).toString(), headers])
  }
  return parts
}

async function* chunks(text: string, size: number): AsyncIterable<Buffer> {
  const data = Buffer.from(text)
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}
