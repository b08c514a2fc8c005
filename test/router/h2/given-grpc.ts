import {
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  credentials,
  Metadata,
  status,
  type ChannelOptions,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type ServiceDefinition,
} from '@grpc/grpc-js'

/** Messages are bytes as they are. */
const raw = {
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
}

/** The four kinds, one of each. */
const echo = {
  unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...raw },
  collect: { path: '/test.Echo/Collect', requestStream: true, responseStream: false, ...raw },
  repeat: { path: '/test.Echo/Repeat', requestStream: false, responseStream: true, ...raw },
  chat: { path: '/test.Echo/Chat', requestStream: true, responseStream: true, ...raw },
} satisfies ServiceDefinition

export interface GivenGrpc extends AsyncDisposable {
  readonly port: number
  /** Calls that the server saw cancelled, by path. */
  readonly cancelled: string[]
  /** Calls that came, by path, with their metadata. */
  readonly calls: { readonly path: string; readonly metadata: Metadata }[]
}

/** A real gRPC server on cleartext HTTP/2. `hang` as a message keeps a call open; `fail` ends it with ALREADY_EXISTS and trailers alone. */
export async function givenGrpcServer(): Promise<GivenGrpc> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  const cancelled: string[] = []
  const calls: { path: string; metadata: Metadata }[] = []
  const begin = (call: { metadata: Metadata; getPath(): string; on(event: 'cancelled', told: () => void): unknown }) => {
    calls.push({ path: call.getPath(), metadata: call.metadata })
    call.on('cancelled', () => cancelled.push(call.getPath()))
  }
  const trailers = () => {
    const metadata = new Metadata()
    metadata.set('x-trailer', 'at the end')
    return metadata
  }
  server.addService(echo, {
    unary(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      begin(call)
      if (call.request.equals(Buffer.from('hang'))) return
      if (call.request.equals(Buffer.from('fail'))) return answer({ code: status.ALREADY_EXISTS, details: '100% there: ü' })
      const head = new Metadata()
      head.set('x-head', String(call.metadata.get('x-asked')[0] ?? ''))
      call.sendMetadata(head)
      answer(null, call.request, trailers())
    },
    collect(call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      begin(call)
      let bytes = 0
      let count = 0
      call.on('data', (message: Buffer) => {
        bytes += message.length
        count += 1
      })
      call.on('end', () => answer(null, Buffer.from(`${count} messages, ${bytes} bytes`), trailers()))
    },
    repeat(call: ServerWritableStream<Buffer, Buffer>) {
      begin(call)
      for (let n = 0; n < 3; n += 1) call.write(Buffer.concat([call.request, Buffer.from(String(n))]))
      if (!call.request.equals(Buffer.from('hang'))) call.end(trailers())
    },
    chat(call: ServerDuplexStream<Buffer, Buffer>) {
      begin(call)
      call.on('data', (message: Buffer) => call.write(message))
      call.on('end', () => call.end(trailers()))
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  return {
    port,
    cancelled,
    calls,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

/** A client of the router on `port` that asks for `app.localhost`. Dispose it. */
export function givenGrpcClient(port: number, options: ChannelOptions = {}, secure = credentials.createInsecure()) {
  const Client = makeGenericClientConstructor(echo, 'test.Echo')
  const client = new Client(`127.0.0.1:${port}`, secure, {
    'grpc.default_authority': 'app.localhost',
    'grpc.max_receive_message_length': -1,
    'grpc.enable_retries': 0,
    ...options,
  })
  return Object.assign(client, { [Symbol.dispose]: () => client.close() })
}
