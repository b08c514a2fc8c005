import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findH2spec } from './find-h2spec.ts'
import { ask, givenH2Client } from './given-h2.ts'
import { givenRouter, oneInstance } from '../given-router.ts'

/** What h2spec calls a failure, each with the reason why it stays. A bare server of node:http2 has as many. */
const known: Readonly<Record<string, string>> = {
  'http2/3.5 Sends invalid connection preface': 'the port speaks HTTP/1.1 too: it answers 400 in HTTP/1.1, and closes',
  'http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame':
    'nghttp2 ignores frames of a stream that it has forgotten: RFC 9113, 5.1 allows it',
  'http2/5.1 closed: Sends a HEADERS frame after sending RST_STREAM frame': 'likewise',
  'http2/5.1 closed: Sends a DATA frame': 'likewise',
  'http2/5.1 closed: Sends a HEADERS frame': 'likewise',
  'http2/5.1.1 Sends stream identifier that is numerically smaller than previous': 'likewise: to nghttp2 such a stream is a closed one',
  'http2/5.3.1 Sends PRIORITY frame that depend on itself': 'RFC 9113, 5.3 has no priorities any more: nghttp2 does not read them',
  'http2/6.3 Sends a PRIORITY frame with 0x0 stream identifier': 'likewise',
  'http2/6.7 Sends a PING frame with ACK': 'node:http2 ends the session of a client that answers a ping that nobody sent',
  'http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream':
    'node:http2 ends the session where the stream alone had to end',
}

const h2spec = findH2spec()

test.skipIf(h2spec === undefined)(
  'h2spec finds what is known, and nothing else; the router serves on',
  async () => {
    const app = http.createServer((request, response) => request.resume().on('end', () => response.end('hello '.repeat(200))))
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
    const { port } = app.address() as AddressInfo
    await using given = await givenRouter(oneInstance(port), { route: { hosts: ['127.0.0.1', 'app.localhost'], timeoutMs: 60_000 } })
    const folder = mkdtempSync(join(tmpdir(), 'h2spec-'))
    const report = join(folder, 'report.xml')
    await new Promise((resolve) => {
      execFile(h2spec ?? '', ['-h', '127.0.0.1', '-p', String(given.router.port), '-o', '3', '-j', report], resolve)
    })
    const text = readFileSync(report, 'utf8')
    rmSync(folder, { recursive: true, force: true })
    expect(text.match(/<testcase /g)).toHaveLength(145)
    expect(failuresOf(text).toSorted()).toEqual(Object.keys(known).toSorted())
    using client = givenH2Client(given.router.port)
    expect((await ask(client)).status).toBe(200)
    app.closeAllConnections()
    app.close()
  },
  120_000,
)

/** `http2/5.1 closed: Sends a DATA frame`, of a report in JUnit's form. */
function failuresOf(report: string): string[] {
  return report
    .split('<testcase ')
    .slice(1)
    .filter((testCase) => /<(failure|error)\b/.test(testCase))
    .map((testCase) => /package="([^"]*)" classname="([^"]*)"/.exec(testCase)?.slice(1).join(' ') ?? testCase)
}
