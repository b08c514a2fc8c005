import { once } from 'node:events'
import { Metadata, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { expect, test, vi } from 'vitest'
import { CloudError } from '../../../src/base/cloud-error.ts'
import type { Upstream } from '../../../src/router/upstream.ts'
import { givenGrpcClient, givenGrpcServer } from './given-grpc.ts'
import { givenRouter, oneInstance } from '../given-router.ts'

const h2c = (port: number): Upstream & { inFlight: number } => Object.assign(oneInstance(port), { protocol: 'h2c' as const })

interface Answer {
  readonly error: ServiceError | null
  readonly message: Buffer | undefined
  readonly head: Metadata | undefined
  readonly trailers: Metadata | undefined
}

type Client = ReturnType<typeof givenGrpcClient>

function unary(client: Client, message: string | Buffer, metadata = new Metadata(), deadlineMs?: number): Promise<Answer> {
  return new Promise((resolve) => {
    let head: Metadata | undefined
    let trailers: Metadata | undefined
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
    const call = client['unary']?.(Buffer.from(message), metadata, options, (error: ServiceError | null, answer?: Buffer) =>
      setImmediate(() => resolve({ error, message: answer, head, trailers })),
    )
    call.on('metadata', (given: Metadata) => (head = given))
    call.on('status', (given: { metadata: Metadata }) => (trailers = given.metadata))
  })
}

function statusOf(call: NodeJS.EventEmitter): Promise<{ readonly code: number; readonly metadata: Metadata }> {
  return new Promise((resolve) => void call.on('error', () => {}).once('status', resolve))
}

async function givenBoth(route = {}) {
  const server = await givenGrpcServer()
  const upstream = h2c(server.port)
  const given = await givenRouter(upstream, { route })
  const client = givenGrpcClient(given.router.port)
  return {
    server,
    upstream,
    client,
    records: given.records,
    async [Symbol.asyncDispose]() {
      client.close()
      await given[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('run trap 44: a unary gRPC call passes with its metadata and its trailers', async () => {
  await using both = await givenBoth()
  const metadata = new Metadata()
  metadata.set('x-asked', 'yes')
  const answer = await unary(both.client, 'hello', metadata)
  expect(answer.error).toBeNull()
  expect(answer.message?.toString()).toBe('hello')
  expect(answer.head?.get('x-head')).toEqual(['yes'])
  expect(answer.trailers?.get('x-trailer')).toEqual(['at the end'])
  expect(both.server.calls[0]?.metadata.get('x-forwarded-proto')).toEqual(['https'])
  expect(both.records).toMatchObject([{ method: 'POST', target: '/test.Echo/Unary', status: 200, instance: 'i1' }])
  expect(both.upstream.inFlight).toBe(0)
})

test('an error of the application arrives with its code and its message', async () => {
  await using both = await givenBoth()
  const { error } = await unary(both.client, 'fail')
  expect(error).toMatchObject({ code: status.ALREADY_EXISTS, details: '100% there: ü' })
})

test('client streaming, with more than all windows hold', async () => {
  await using both = await givenBoth()
  const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
    const call = both.client['collect']?.((error: ServiceError | null, message?: Buffer) =>
      error === null ? resolve(message) : reject(error),
    )
    for (let n = 0; n < 40; n += 1) call.write(Buffer.alloc(100_000, n))
    call.end()
  })
  expect(answer?.toString()).toBe('40 messages, 4000000 bytes')
})

test('server streaming ends with its trailers', async () => {
  await using both = await givenBoth()
  const call = both.client['repeat']?.(Buffer.from('a'))
  const seen: string[] = []
  call.on('data', (message: Buffer) => seen.push(message.toString()))
  const { code, metadata } = await statusOf(call)
  expect(seen).toEqual(['a0', 'a1', 'a2'])
  expect(code).toBe(status.OK)
  expect(metadata.get('x-trailer')).toEqual(['at the end'])
})

test('run trap 44: bidirectional streaming passes unbuffered: each message is answered before the next is sent', async () => {
  await using both = await givenBoth()
  const call = both.client['chat']?.() as ClientDuplexStream<Buffer, Buffer>
  for (const text of ['one', 'two', 'three']) {
    call.write(Buffer.from(text))
    const [message] = (await once(call, 'data')) as [Buffer]
    expect(message.toString()).toBe(text)
  }
  call.end()
  call.resume()
  expect(await statusOf(call)).toMatchObject({ code: status.OK })
})

test('a message of 20 MB passes both ways', async () => {
  await using both = await givenBoth()
  const message = Buffer.alloc(20_000_000, 'x')
  expect((await unary(both.client, message)).message?.equals(message)).toBe(true)
})

test('a call that is cancelled is cancelled in the application, and its instance is free', async () => {
  await using both = await givenBoth()
  const call = both.client['repeat']?.(Buffer.from('hang'))
  call.on('error', () => {})
  await once(call, 'data')
  call.cancel()
  await vi.waitFor(() => expect(both.server.cancelled).toEqual(['/test.Echo/Repeat']))
  await vi.waitFor(() => expect(both.upstream.inFlight).toBe(0))
})

test('a deadline of the client ends the call in the application', async () => {
  await using both = await givenBoth()
  const { error } = await unary(both.client, 'hang', new Metadata(), 200)
  expect(error?.code).toBe(status.DEADLINE_EXCEEDED)
  await vi.waitFor(() => expect(both.server.cancelled).toEqual(['/test.Echo/Unary']))
})

test('the request timeout of the service is DEADLINE_EXCEEDED to a gRPC client, before and after the answer began', async () => {
  await using both = await givenBoth({ timeoutMs: 300 })
  const { error } = await unary(both.client, 'hang')
  expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, details: 'upstream request timeout' })
  const call = both.client['repeat']?.(Buffer.from('hang'))
  call.on('data', () => {})
  call.on('error', () => {})
  expect(await statusOf(call)).toMatchObject({ code: status.DEADLINE_EXCEEDED })
  expect(both.records.map((record) => record.status)).toEqual([504, 504])
})

test('an instance that is away is UNAVAILABLE, no room is RESOURCE_EXHAUSTED', async () => {
  await using away = await givenRouter(h2c(1))
  using client = givenGrpcClient(away.router.port)
  expect((await unary(client, 'a')).error).toMatchObject({ code: status.UNAVAILABLE })
  const full: Upstream = { id: 'r', acquire: () => Promise.reject(new CloudError('RESOURCE_EXHAUSTED', 'full', 'Wait.')) }
  await using busy = await givenRouter(full)
  using second = givenGrpcClient(busy.router.port)
  expect((await unary(second, 'a')).error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'Rate exceeded.' })
})

test('an unknown host is UNIMPLEMENTED to a gRPC client, and a refusal of the gate is UNAUTHENTICATED or PERMISSION_DENIED', async () => {
  await using both = await givenBoth()
  using stranger = givenGrpcClient(Number(both.client.getChannel().getTarget().split(':').at(-1)), {
    'grpc.default_authority': 'other.localhost',
  })
  expect((await unary(stranger, 'a')).error?.code).toBe(status.UNIMPLEMENTED)
  for (const [http, code] of [
    [401, status.UNAUTHENTICATED],
    [403, status.PERMISSION_DENIED],
  ] as const) {
    await using gated = await givenBoth({ gate: () => ({ kind: 'refuse', status: http, html: '<p>no' }) })
    expect((await unary(gated.client, 'a')).error?.code).toBe(code)
    expect(gated.server.calls).toEqual([])
  }
})

test('native gRPC to a port named http1 goes on as HTTP/2 with prior knowledge', async () => {
  await using server = await givenGrpcServer()
  await using given = await givenRouter(oneInstance(server.port))
  using client = givenGrpcClient(given.router.port)
  expect((await unary(client, 'hello')).message?.toString()).toBe('hello')
})

test('300 calls at once share few connections to the instance', async () => {
  await using both = await givenBoth()
  const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => unary(both.client, `call ${n}`)))
  expect(answers.map((answer) => answer.message?.toString())).toEqual(Array.from({ length: 300 }, (_, n) => `call ${n}`))
})

test('an application that restarts is reached again, on the connection that the client kept', async () => {
  const first = await givenGrpcServer()
  const upstream = h2c(first.port)
  await using given = await givenRouter(upstream)
  using client = givenGrpcClient(given.router.port)
  expect((await unary(client, 'a')).error).toBeNull()
  await first[Symbol.asyncDispose]()
  await using second = await givenGrpcServer()
  await using moved = await givenRouter(h2c(second.port))
  using again = givenGrpcClient(moved.router.port)
  expect((await unary(again, 'b')).message?.toString()).toBe('b')
  expect((await unary(client, 'c')).error?.code).toBe(status.UNAVAILABLE)
})
