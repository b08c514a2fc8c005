import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const obedient = `process.on('SIGTERM', () => process.exit())\n`

export interface GivenApp {
  /** The project's folder. */
  readonly directory: string
  readonly id: string
  /** Writes a file of it, folders included. */
  write(path: string, text: string): void
}

/** A server that answers every request with `body`, an expression. As the first process of a container it would not hear SIGTERM by itself. */
export function server(body: string, listen = "process.env.PORT, '0.0.0.0'"): string {
  return `require('node:http').createServer((request, response) => response.end(String(${body}))).listen(${listen})\n${obedient}`
}

/** A project of one service in plain Node, run by either engine, whose files stand in a folder of its own. */
export function givenApp(id: string, program: string, files: Readonly<Record<string, string>> = {}): GivenApp {
  const directory = join(realpathSync(mkdtempSync(join(tmpdir(), 'app-'))), id)
  const write = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write('package.json', JSON.stringify({ name: id, private: true, scripts: { start: 'node server.cjs' } }))
  write('Dockerfile', 'FROM node:24-slim\nWORKDIR /app\nCOPY server.cjs .\nCMD ["node", "server.cjs"]\n')
  write('server.cjs', program)
  for (const [path, text] of Object.entries(files)) write(path, text)
  return { directory, id, write }
}

/** A service.yaml whose startup probe gives up after three seconds. */
export function impatient(id: string, environment = ''): string {
  return `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: ${id}
spec:
  template:
    spec:
      containers:
        - image: local
          startupProbe: { periodSeconds: 3, failureThreshold: 1, tcpSocket: { port: 8080 } }
${environment}`
}
