import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startCommand, type Child } from './child.ts'

/** Where Debian has it beside PATH. */
const command = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)

/** `undefined` when nginx is not to be had. One worker, no log, connections are kept on both sides for as long as they like. */
export async function startNginx(kind: { readonly answer: string } | { readonly upstreamPort: number }): Promise<Child | undefined> {
  if (command === undefined) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  writeFileSync(join(folder, 'nginx.conf'), configuration(port, kind))
  const child = await startCommand(command, ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], port)
  return {
    ...child,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function configuration(port: number, kind: { readonly answer: string } | { readonly upstreamPort: number }): string {
  const isProxy = 'upstreamPort' in kind
  const upstream = isProxy
    ? `upstream backend { server 127.0.0.1:${kind.upstreamPort}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }`
    : ''
  const location = isProxy
    ? `proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
       proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https;
       proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_read_timeout 1h; proxy_send_timeout 1h;`
    : `default_type text/plain; return 200 ${JSON.stringify(kind.answer)};`
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid nginx.pid; error_log error.log crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 0; tcp_nodelay on;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${upstream}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`
}
