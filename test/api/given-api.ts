import type http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admit } from '../../src/api/caller.ts'
import type { Product } from '../../src/api/product.ts'
import { openBorders } from '../../src/api/borders.ts'
import { createApiServer } from '../../src/api/serve.ts'
import { openLog } from '../../src/base/log.ts'
import type { Migration } from '../../src/state/migrations.ts'
import { openHttpEnds } from '../../src/gateway/http-ends.ts'
import { isPage } from '../../src/gateway/is-page.ts'
import { openState, type State } from '../../src/state/state.ts'

export interface GivenApi extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** A state in a fresh directory. */
export function givenState(...migrations: readonly Migration[]): State {
  return openState(join(mkdtempSync(join(tmpdir(), 'devcloud-')), 'state'), migrations)
}

/** Products on a loopback port that takes HTTP/1.1 and h2c, as the endpoints port does. */
export async function givenApi(...products: readonly Product[]): Promise<GivenApi> {
  const borders = openBorders({ project: (id) => ({ id, number: id }), policy: () => undefined, emailOfAccount: () => undefined })
  const app = await createApiServer({ products, borders, tokens: { read: () => undefined }, log: openLog(undefined) })
  const serve = app.routing as unknown as http.RequestListener
  const routing: http.RequestListener = (request, response) => {
    const host = String(request.headers[':authority'] ?? request.headers.host ?? '')
    admit(request, {
      isLocalUser: /^(localhost|127\.0\.0\.1|[a-z0-9-]*run\.localhost)(:\d+)?$/.test(host),
      isPage: isPage(request.headers),
    })
    serve(request, response)
  }
  const ends = openHttpEnds(routing)
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    socket.once('data', (head) => {
      socket.pause()
      socket.unshift(head)
      ends.accept(socket, head.toString('latin1', 0, 3) === 'PRI' ? 'h2' : 'http1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      ends[Symbol.dispose]()
      await app.close()
    },
  }
}
