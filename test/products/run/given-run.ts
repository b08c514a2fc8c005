import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isRecord } from '../../../src/base/is-record.ts'
import { openProject } from '../../../src/daemon/adopt.ts'
import { cleanProject } from '../../../src/daemon/clean.ts'
import type { LogEvent } from '../../../src/daemon/control-protocol.ts'
import { openDaemon, type Daemon } from '../../../src/daemon/daemon.ts'
import type { House } from '../../../src/daemon/house.ts'
import { toError, type Json } from '../../../src/api/google-api.ts'
import { logs } from '../../../src/daemon/logs.ts'
import { ask, type Answer } from '../../cli/given-cli.ts'

/** The whole house on Docker in a state directory of its own, with one project that is up. Disposed, nothing of it is left. */
export interface GivenRun extends AsyncDisposable {
  readonly house: House
  /** The project's id, and `projects/P/locations/us-central1`. */
  readonly project: string
  readonly parent: string
  /** The image of `app/`: what it does is said there. */
  readonly image: string
  /** Creates or replaces a service, and waits for its operation. @param service more of its v2 JSON @throws CloudError as the deployment failed */
  deploy(id: string, service?: ServiceJson): Promise<Json>
  /** A call of run.googleapis.com/v2: `call('PATCH', 'projects/...', body)`; waits for the operation that it answers, and gives its response. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Json>
  /** A request through the router, to `http://SERVICE.localhost/path`. */
  ask(service: string, path: string, options?: Parameters<typeof ask>[1]): Promise<Answer>
  /** What `devcloud logs -f` tells from now on. */
  follow(service: string): { readonly events: readonly LogEvent[]; text(): string } & Disposable
  /** A new daemon on what the old one left. */
  restart(): Promise<void>
}

/** Parts of a v2 Service as JSON; `env` and `container` are spared the nesting. */
interface ServiceJson {
  readonly env?: Readonly<Record<string, string>>
  /** More of the container. */
  readonly container?: Json
  /** More of the template. */
  readonly template?: Json
  /** More of the service. */
  readonly service?: Json
}

/** @param options.isPrivate services are called by nobody until a test says who may; else by everybody, as most tests are not about that */
export async function givenRun({ isPrivate = false }: { readonly isPrivate?: boolean } = {}): Promise<GivenRun> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-run-'))
  chmodSync(stateDirectory, 0o700)
  const project = `run-${createHash('sha256').update(stateDirectory).digest('hex').slice(0, 6)}`
  const parent = `projects/${project}/locations/us-central1`
  const image = appImage()
  const open = () => openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
  let daemon: Daemon = await open()
  const { foundation } = daemon.house
  await foundation.projects.put({ id: project, region: 'us-central1', directory: stateDirectory, engine: 'docker', isUp: true })
  await openProject(daemon.house, await foundation.engines.choose('docker'), project, AbortSignal.timeout(60_000))

  const call: GivenRun['call'] = async (method, path, body) => {
    const base = 'https://run.googleapis.com/v2'
    let answer = await daemon.house.api.call(method, `${base}/${path}`, body)
    const [, parent, made] = (method === 'POST' && /^(.+\/services)\?serviceId=([^&]+)/.exec(path)) || []
    if (made !== undefined && !isPrivate) {
      const policy = { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] }
      await daemon.house.api.call('POST', `${base}/${parent}/${made}:setIamPolicy`, { policy })
    }
    if (!String(answer['name']).includes('/operations/')) return answer
    while (answer['done'] !== true)
      answer = await daemon.house.api.call('POST', `${base}/${String(answer['name'])}:wait`, { timeout: '10s' })
    if (answer['error'] !== undefined) throw toError(answer['error'], 500, path)
    return isRecord(answer['response']) ? answer['response'] : {}
  }
  return {
    get house() {
      return daemon.house
    },
    project,
    parent,
    image,
    call,
    async deploy(id, { env = {}, container = {}, template = {}, service = {} } = {}) {
      const variables = Object.entries(env).map(([name, value]) => ({ name, value }))
      const body = { ...service, template: { containers: [{ image, env: variables, ...container }], ...template } }
      const found = await daemon.house.api.find(`https://run.googleapis.com/v2/${parent}/services/${id}`)
      return found === undefined
        ? await call('POST', `${parent}/services?serviceId=${id}`, body)
        : await call('PATCH', `${parent}/services/${id}`, body)
    },
    ask: (service, path, options) => ask(`http://${service}.localhost:${daemon.house.foundation.router.port}${path}`, options),
    follow(service) {
      const events: LogEvent[] = []
      const over = new AbortController()
      const query = { project, service, follow: 'true', tail: '0' }
      void logs(daemon.house, query, (event) => void events.push(event), over.signal).catch(() => {})
      return {
        events,
        text: () => events.map((event) => (event.kind === 'log' ? event.text : `${event.method} ${event.path} ${event.status}`)).join('\n'),
        [Symbol.dispose]: () => over.abort(),
      }
    },
    async restart() {
      await daemon[Symbol.asyncDispose]()
      daemon = await open()
    },
    async [Symbol.asyncDispose]() {
      await cleanProject(daemon.house, project, () => {})
      await daemon[Symbol.asyncDispose]()
      rmSync(stateDirectory, { recursive: true, force: true })
    },
  }
}

/** Waits until `probe` gives something, 30 s at most unless told. @throws Error that names what was waited for */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${ms / 1000} s: ${what}`)
    await sleep(50)
  }
}

const folder = fileURLToPath(new URL('app', import.meta.url))

/** Built once on a machine for each text of `app/`. */
export function appImage(): string {
  const hash = createHash('sha256')
  for (const name of ['Dockerfile', 'app.mjs']) hash.update(readFileSync(join(folder, name)))
  const image = `devcloud-test/run-app:${hash.digest('hex').slice(0, 16)}`
  const docker = (...args: string[]) =>
    execFileSync('docker', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, DOCKER_BUILDKIT: '0' } })
  try {
    docker('image', 'inspect', image)
  } catch {
    docker('build', '-q', '-t', image, folder)
  }
  return image
}
