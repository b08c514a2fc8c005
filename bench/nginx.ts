import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startCommand, type Child } from './child.ts'

/** Where Debian has it beside PATH. */
const command = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)

type Kind =
  | { readonly answer: string }
  | { readonly upstreamPort: number }
  /** Answers every gRPC call with these bytes as its message, on cleartext HTTP/2. */
  | { readonly grpcAnswer: string }
  | { readonly grpcUpstreamPort: number }

/** `undefined` when nginx is not to be had. One worker, no log, connections are kept on both sides for as long as they like. */
export async function startNginx(kind: Kind): Promise<Child | undefined> {
  if (command === undefined) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  writeFileSync(join(folder, 'nginx.conf'), configuration(port, kind))
  if ('grpcAnswer' in kind) writeFileSync(join(folder, 'message'), grpcMessage(kind.grpcAnswer))
  const child = await startCommand(command, ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], port)
  return {
    ...child,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One message with its head: not compressed, and its length. */
export function grpcMessage(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([head, Buffer.from(text)])
}

function configuration(port: number, kind: Kind): string {
  const upstreamPort = 'upstreamPort' in kind ? kind.upstreamPort : 'grpcUpstreamPort' in kind ? kind.grpcUpstreamPort : undefined
  const upstream =
    upstreamPort === undefined
      ? ''
      : `upstream backend { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }`
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid nginx.pid; error_log error.log crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 0; tcp_nodelay on;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${upstream}
  server { listen 127.0.0.1:${port}${'grpcAnswer' in kind || 'grpcUpstreamPort' in kind ? ' http2' : ''}; ${locationOf(kind)} }
}
`
}

function locationOf(kind: Kind): string {
  if ('answer' in kind) return `location / { default_type text/plain; return 200 ${JSON.stringify(kind.answer)}; }`
  if ('grpcUpstreamPort' in kind) {
    return `location / { grpc_pass grpc://backend; grpc_set_header Host $host; grpc_set_header X-Forwarded-Proto https;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for; grpc_read_timeout 1h; grpc_send_timeout 1h; }`
  }
  if ('grpcAnswer' in kind) {
    return `location / { error_page 405 =200 /message; return 405; }
      location = /message { root .; default_type application/grpc; add_trailer grpc-status 0 always; open_file_cache max=10; }`
  }
  return `location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
       proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https;
       proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_read_timeout 1h; proxy_send_timeout 1h; }`
}
