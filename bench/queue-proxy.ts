import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { freePort, startCommand, type Child } from './child.ts'

const folder = join(homedir(), '.cache', 'devcloud-bench')
const binary = join(folder, 'queue')
const module = 'knative.dev/serving/cmd/queue@v0.50.0'

/** Knative's proxy in front of each instance. `undefined` when it is neither built nor to be built: Go builds it once, in a minute. */
export async function startQueueProxy(upstreamPort: number, tell: (text: string) => void): Promise<Child | undefined> {
  if (!existsSync(binary)) {
    tell(`building ${module} into ${folder}`)
    mkdirSync(folder, { recursive: true })
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' }
    spawnSync('go', ['install', '-trimpath', '-ldflags=-s -w', module], { env, stdio: 'ignore', timeout: 600_000 })
    if (!existsSync(binary)) return undefined
  }
  const port = await freePort()
  return startCommand(binary, [], port, environment(port, await freePort(), upstreamPort))
}

function environment(port: number, tlsPort: number, upstreamPort: number): Record<string, string> {
  return {
    CONTAINER_CONCURRENCY: '100',
    QUEUE_SERVING_PORT: String(port),
    QUEUE_SERVING_TLS_PORT: String(tlsPort),
    USER_PORT: String(upstreamPort),
    REVISION_TIMEOUT_SECONDS: '300',
    SERVING_NAMESPACE: 'bench',
    SERVING_REVISION: 'bench-00001',
    SERVING_SERVICE: 'bench',
    SERVING_CONFIGURATION: 'bench',
    SERVING_POD: 'bench',
    SERVING_POD_IP: '127.0.0.1',
    SERVING_LOGGING_LEVEL: 'error',
    SERVING_LOGGING_CONFIG: '{"level":"error","encoding":"json","outputPaths":["stderr"],"errorOutputPaths":["stderr"]}',
    OBSERVABILITY_CONFIG: '{}',
    SYSTEM_NAMESPACE: 'knative-serving',
    SERVING_READINESS_PROBE: `{"tcpSocket":{"port":${upstreamPort},"host":"127.0.0.1"},"successThreshold":1}`,
  }
}
