import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { InvalidArgumentError, type Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import { openOwnerCheck } from '../../../daemon/owner-check.ts'
import type { TokenAnswer } from '../../../daemon/control-protocol.ts'
import type { ControlClient } from '../../control-client.ts'
import { openOutput } from '../../output.ts'
import { urlsOf } from './deploy-service.ts'
import { getResource } from './get-resource.ts'
import { serviceKind } from './resource-kinds.ts'
import { createProxy } from './proxy-server.ts'
import { addWideOptions, openScope, type WideOptions } from './scope.ts'

interface ProxyOptions extends WideOptions {
  readonly port: number
  readonly tag?: string
  readonly token?: string
}

export function addProxy(services: Command): void {
  addWideOptions(services.command('proxy').description('a port of this machine that calls a service in your name'))
    .argument('<service>', 'its name')
    .option('--port <port>', 'to listen on', readPort, 8080)
    .option('--tag <tag>', 'of the revision with this tag')
    .option('--token <token>', 'this identity token instead of your own')
    .action(proxy)
}

/** Until Ctrl-C. */
async function proxy(id: string, options: ProxyOptions): Promise<void> {
  const scope = await openScope(options)
  const urls = await urlsOf(scope, id, await getResource(scope, serviceKind, id))
  const tagged = options.tag === undefined ? urls : urls.map((url) => url.replace('://', `://${options.tag}---`))
  const { host, port } = new URL(tagged.find((url) => url.startsWith('http://')) ?? '')
  const server = createProxy({
    ownerCheck: openOwnerCheck(),
    port: Number(port || 80),
    host,
    origins: tagged.flatMap((url) => [url, `https://${new URL(url).hostname}`]), // the application sees no port
    token: options.token === undefined ? keepToken(scope.client) : () => Promise.resolve(options.token ?? ''),
  })
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new CloudError('FAILED_PRECONDITION', `Port ${options.port} is taken.`, `devcloud run services proxy ${id} --port=PORT`, {
      fault: 'PORT_TAKEN',
    })
  })
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const output = openOutput({})
  output.note(`Proxying to Cloud Run service [${id}] in project [${scope.project}] region [${scope.region}]: Ctrl-C ends it.`)
  output.result(here, () => here)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  server.closeAllConnections()
  server.close()
}

/** Tokens live an hour: each is used for half of it. */
const tokenMs = 30 * 60_000

function keepToken(client: ControlClient): () => Promise<string> {
  let token: Promise<TokenAnswer> | undefined
  let madeMs = 0
  return async () => {
    if (token === undefined || performance.now() - madeMs > tokenMs) {
      madeMs = performance.now()
      token = client.get<TokenAnswer>('/identity-token')
      token.catch(() => (token = undefined))
    }
    return (await token).token
  }
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('Write a port, 0 for any that is free.')
}
