import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { create } from '@bufbuild/protobuf'
import { SecretSchema, SecretPayloadSchema } from '../../src/api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { AccessSecretVersionResponseSchema, SecretManagerService } from '../../src/api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { service, type Product } from '../../src/api/product.ts'
import { matchesHost } from '../../src/api/routes.ts'
import { openBorders } from '../../src/api/borders.ts'
import { createApiServer } from '../../src/api/serve.ts'
import { CloudError } from '../../src/base/cloud-error.ts'
import { openLog } from '../../src/base/log.ts'
import { admitVisitors } from '../../src/daemon/admit-visitor.ts'
import { openMachineToken, type MachineToken } from '../../src/daemon/machine-token.ts'
import { openOwnerCheck } from '../../src/daemon/owner-check.ts'
import { openCertificateAuthority, type CertificateAuthority } from '../../src/gateway/certificate-authority.ts'
import { environmentFor } from '../../src/gateway/environment.ts'
import { writeLeads } from '../../src/gateway/write-leads.ts'
import { openGateway, type Gateway } from '../../src/gateway/gateway.ts'
import type { Source } from '../../src/gateway/gateway-options.ts'

export interface GivenGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly authority: CertificateAuthority
  /** What a shell has after `eval "$(devcloud env)"`. */
  readonly environment: NodeJS.ProcessEnv
  /** Who asked the metadata server. */
  readonly asked: readonly Source[]
  readonly machineToken: MachineToken
}

/** A gateway before a product that knows one secret, a metadata server and a router that both only say who they are. */
export async function givenGateway(): Promise<GivenGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'devcloud-gw-'))
  const authority = await openCertificateAuthority(join(directory, 'ca'))
  const product = fakeSecrets()
  const tokens = { read: (token: string) => (token === 'good' ? { email: 'app@p.iam.gserviceaccount.com' } : undefined) }
  const borders = openBorders({ project: (id) => ({ id, number: id }), policy: () => undefined, emailOfAccount: () => undefined })
  const app = await createApiServer({ products: [product], borders, tokens, log: openLog(undefined) })
  const asked: Source[] = []
  const machineToken = openMachineToken(directory)
  const gateway = await openGateway({
    handler: admitVisitors(
      app.routing as unknown as (request: IncomingMessage, response: ServerResponse) => void,
      openOwnerCheck(),
      machineToken,
    ),
    mayTunnel: (_target, headers) => machineToken.allowsTunnel(headers),
    authority,
    hosts: (host) => product.hosts.some((pattern) => matchesHost(pattern, host)),
    socketPath: join(directory, 'gateway', 'gateway.sock'),
    port: 0,
    metadataHandler(_request, response, source) {
      asked.push(source)
      response.writeHead(200, { 'metadata-flavor': 'Google' }).end('metadata')
    },
    onRouter: answerAsRouter,
  })
  const { bundlePath, certificatePath, javaRootsPath } = authority
  const leads = writeLeads(join(directory, 'leads'))
  const told = environmentFor({
    port: gateway.port,
    bundlePath,
    certificatePath,
    javaRootsPath,
    leads,
    project: 'p',
    region: 'us-central1',
  })
  return {
    gateway,
    authority,
    environment: { PATH: process.env['PATH'], HOME: directory, ...told },
    asked,
    machineToken,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await app.close()
    },
  }
}

/** Runs a program to its end. @returns what it wrote to stdout */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env, timeout: 20_000 })
  return stdout
}

function answerAsRouter(socket: Duplex, tls: boolean): void {
  const body = `router ${tls ? 'tls' : 'plain'}`
  socket.on('error', () => {}).on('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
  process.nextTick(() => socket.resume())
}

function fakeSecrets(): Product {
  return {
    name: 'secretmanager',
    hosts: ['secretmanager.googleapis.com'],
    services: [
      service(SecretManagerService, {
        getSecret({ name }) {
          if (name.endsWith('/boom')) throw new Error('a fault with /private/paths in it')
          if (!name.endsWith('/s')) throw new CloudError('NOT_FOUND', `Secret [${name}] not found.`, 'Make it.')
          return create(SecretSchema, { name, etag: '"1"', labels: { a: 'b' } })
        },
        accessSecretVersion: ({ name }) =>
          create(AccessSecretVersionResponseSchema, {
            name,
            payload: create(SecretPayloadSchema, { data: Buffer.from('opensesame'), dataCrc32c: 12n }),
          }),
        createSecret: ({ parent, secretId }) => create(SecretSchema, { name: `${parent}/secrets/${secretId}` }),
      }),
    ],
    async [Symbol.asyncDispose]() {},
  }
}
