/**
 * What desynchronises readers of HTTP/1.1 from one another. Source: reliability.md S26. Each vector is what a client sends on one connection; a
 * request for `/smuggled` within it must never reach an application.
 */
export interface Vector {
  readonly name: string
  readonly bytes: string
  /** The status of the refusal, or the targets that arrive, each answered by 200. */
  readonly outcome: number | readonly string[]
}

const post = 'POST /first HTTP/1.1\r\nHost: app.localhost\r\n'
const get = 'GET /first HTTP/1.1\r\nHost: app.localhost\r\n'
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n'
const chunked = 'Transfer-Encoding: chunked\r\n'
const last = 'GET /last HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n'

export const vectors: readonly Vector[] = [
  // Lengths against chunks.
  { name: 'CL.TE', bytes: `${post}Content-Length: 6\r\n${chunked}\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'TE.CL', bytes: `${post}${chunked}Content-Length: 4\r\n\r\n2c\r\n${smuggled}\r\n0\r\n\r\n`, outcome: 400 },
  { name: 'CL.0 beside TE', bytes: `${post}Content-Length: 0\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'two equal lengths', bytes: `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'two lengths', bytes: `${post}Content-Length: 5\r\nContent-Length: 60\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'a list of lengths', bytes: `${post}Content-Length: 5, 5\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'a length with a plus', bytes: `${post}Content-Length: +5\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'a negative length', bytes: `${post}Content-Length: -1\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a hexadecimal length', bytes: `${post}Content-Length: 0x5\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'a length with a blank inside', bytes: `${post}Content-Length: 5 0\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'an empty length', bytes: `${post}Content-Length:\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a length beyond all numbers', bytes: `${post}Content-Length: 99999999999999999999\r\n\r\nhello`, outcome: 400 },
  { name: 'a length with an underscore', bytes: `${post}Content-Length: 1_0\r\n\r\nhello12345${smuggled}`, outcome: 400 },
  { name: 'a length after a space before the colon', bytes: `${post}Content-Length : 5\r\n\r\nhello${smuggled}`, outcome: 400 },
  // Codings that are not `chunked`.
  { name: 'identity, chunked', bytes: `${post}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 501 },
  { name: 'chunked, chunked', bytes: `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 501 },
  { name: 'chunked, identity', bytes: `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 501 },
  { name: 'xchunked', bytes: `${post}Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello${smuggled}`, outcome: 400 },
  { name: 'xchunked alone', bytes: `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 501 },
  { name: 'a coding in quotes', bytes: `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 501 },
  { name: 'a coding after a vertical tab', bytes: `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a coding with a NUL', bytes: `${post}Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'two codings in two lines', bytes: `${post}${chunked}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'an empty coding', bytes: `${post}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello${smuggled}`, outcome: 400 },
  {
    name: 'chunks in HTTP/1.0',
    bytes: `POST /first HTTP/1.0\r\nHost: app.localhost\r\n${chunked}\r\n0\r\n\r\n${smuggled}`,
    outcome: 400,
  },
  { name: 'a coding in a folded line', bytes: `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a coding whose name has a tab', bytes: `${post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  // Lines.
  { name: 'a folded line', bytes: `${get}X: a\r\n b\r\n\r\n`, outcome: 400 },
  { name: 'a folded first line', bytes: `GET /first HTTP/1.1\r\n Host: app.localhost\r\n\r\n`, outcome: 400 },
  { name: 'a bare LF after a field', bytes: `${get}X: a\nContent-Length: 5\r\n\r\nhello`, outcome: 400 },
  { name: 'bare LFs at the end of the head', bytes: `GET /first HTTP/1.1\nHost: app.localhost\n\n${smuggled}`, outcome: 400 },
  { name: 'a bare CR in a value', bytes: `${get}X: a\rContent-Length: 5\r\n\r\n`, outcome: 400 },
  { name: 'a NUL in a value', bytes: `${get}X: a\0b\r\n\r\n`, outcome: 400 },
  { name: 'a NUL in a name', bytes: `${get}X\0Y: a\r\n\r\n`, outcome: 400 },
  { name: 'an empty name', bytes: `${get}: a\r\n\r\n`, outcome: 400 },
  { name: 'a line without colon', bytes: `${get}Content-Length\r\n\r\n`, outcome: 400 },
  { name: 'a name with a parenthesis', bytes: `${get}Content(Length): 5\r\n\r\nhello`, outcome: 400 },
  // Hosts and targets.
  { name: 'two Hosts', bytes: `${get}Host: evil.test\r\n\r\n`, outcome: 400 },
  { name: 'an empty Host', bytes: 'GET /first HTTP/1.1\r\nHost:\r\n\r\n', outcome: 400 },
  { name: 'a Host with user', bytes: 'GET /first HTTP/1.1\r\nHost: app.localhost@evil.test\r\n\r\n', outcome: 400 },
  { name: 'a Host with path', bytes: 'GET /first HTTP/1.1\r\nHost: app.localhost/smuggled\r\n\r\n', outcome: 400 },
  { name: 'a Host with a blank', bytes: 'GET /first HTTP/1.1\r\nHost: app.localhost evil.test\r\n\r\n', outcome: 400 },
  { name: 'an absolute target', bytes: 'GET http://evil.test/smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n', outcome: 421 },
  { name: 'a target that is no path', bytes: 'GET smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n', outcome: 421 },
  { name: 'a blank in the target', bytes: 'GET /first /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n', outcome: 400 },
  // Versions and methods.
  { name: 'HTTP/0.9', bytes: `GET /first\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'HTTP/1.2', bytes: `GET /first HTTP/1.2\r\nHost: app.localhost\r\n\r\n`, outcome: 505 },
  { name: 'HTTP/2.0 by name', bytes: `GET /first HTTP/2.0\r\nHost: app.localhost\r\n\r\n`, outcome: 505 },
  { name: 'HTTP in lower case', bytes: `GET /first http/1.1\r\nHost: app.localhost\r\n\r\n`, outcome: 400 },
  { name: 'a version of two digits', bytes: `GET /first HTTP/1.10\r\nHost: app.localhost\r\n\r\n`, outcome: 400 },
  { name: 'a method with a comma', bytes: `GET,POST /first HTTP/1.1\r\nHost: app.localhost\r\n\r\n`, outcome: 400 },
  { name: 'a tab for a space', bytes: `GET\t/first\tHTTP/1.1\r\nHost: app.localhost\r\n\r\n`, outcome: 400 },
  { name: 'CONNECT', bytes: `CONNECT app.localhost:80 HTTP/1.1\r\nHost: app.localhost\r\n\r\n${smuggled}`, outcome: 421 },
  { name: 'TRACE', bytes: `TRACE /first HTTP/1.1\r\nHost: app.localhost\r\n\r\n`, outcome: 405 },
  // Chunks.
  { name: 'a chunk size of no digits', bytes: `${post}${chunked}\r\n;x\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a negative chunk size', bytes: `${post}${chunked}\r\n-5\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk size with 0x', bytes: `${post}${chunked}\r\n0x5\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk size that overflows', bytes: `${post}${chunked}\r\n10000000000000005\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk size after a blank', bytes: `${post}${chunked}\r\n 5\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk size before a blank', bytes: `${post}${chunked}\r\n5 \r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk that is longer than it says', bytes: `${post}${chunked}\r\n3\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a chunk size line that ends in LF', bytes: `${post}${chunked}\r\n5\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'an LF in a chunk extension', bytes: `${post}${chunked}\r\n2;\nxx\r\n10\r\n${smuggled}\r\n0\r\n\r\n`, outcome: 400 },
  { name: 'a NUL in a chunk extension', bytes: `${post}${chunked}\r\n5;a=\0\r\nhello\r\n0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a CR alone after chunk data', bytes: `${post}${chunked}\r\n5\r\nhello\r0\r\n\r\n${smuggled}`, outcome: 400 },
  { name: 'a bare LF among trailers', bytes: `${post}${chunked}\r\n0\r\nX: a\n\r\n${smuggled}`, outcome: 400 },
  // Others.
  { name: 'Expect of something else', bytes: `${post}Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello${smuggled}`, outcome: 417 },
  { name: 'HTTP/2 in a length', bytes: `${get}Content-Length: 5\r\nContent-length: 0\r\n\r\nhello${smuggled}`, outcome: 400 },
  // What is well formed arrives as it was sent, and no more.
  { name: 'the rest of a body', bytes: `${post}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}${last}`, outcome: ['/first', '/last'] },
  {
    name: 'a request in a chunk',
    bytes: `${post}${chunked}\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n${last}`,
    outcome: ['/first', '/last'],
  },
  { name: 'a chunk extension', bytes: `${post}${chunked}\r\n5;a="b;c"\r\nhello\r\n0\r\n\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'a trailer', bytes: `${post}${chunked}\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'a request behind another', bytes: `${get}\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'empty lines between requests', bytes: `${get}\r\n\r\n\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'a GET with a body', bytes: `${get}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}${last}`, outcome: ['/first', '/last'] },
  { name: 'Chunked in capitals', bytes: `${post}Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'an upgrade to h2c', bytes: `${get}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n${last}`, outcome: ['/first', '/last'] },
  { name: 'Connection naming Content-Length', bytes: `${post}Connection: Content-Length\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}${last}`, outcome: ['/first', '/last'] },
] // prettier-ignore
