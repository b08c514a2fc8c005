import type { Log } from '../base/log.ts'
import { openDockerEngine } from '../engine/docker/docker-engine.ts'
import type { Engine } from '../engine/engine.ts'
import { limitStarts } from '../engine/limit-starts.ts'
import { openProcessEngine } from '../engine/process/process-engine.ts'
import type { Projects } from './projects.ts'

/** The engines of this daemon, each opened when first asked for. */
export interface Engines extends AsyncDisposable {
  /** `auto` is Docker where it answers, else processes. @throws CloudError DOCKER_UNREACHABLE when Docker was asked for by name */
  choose(kind: 'auto' | 'docker' | 'process'): Promise<Engine>
  /** The engine that a project runs on. */
  forProject(id: string): Promise<Engine>
  /** Those opened so far. */
  opened(): Promise<readonly Engine[]>
}

export function openEngines(options: {
  readonly stateDirectory: string
  readonly log: Log
  readonly projects: Projects
  readonly gatewaySocket: string
}): Engines {
  const { stateDirectory, log, projects, gatewaySocket } = options
  const engines = new Map<Engine['kind'], Promise<Engine>>()
  const open = (kind: Engine['kind']): Promise<Engine> => {
    const known = engines.get(kind)
    if (known !== undefined) return known
    const opening: Promise<Engine> =
      kind === 'docker'
        ? openDockerEngine({ stateDirectory, log, gateway: { socketPath: gatewaySocket } })
        : openProcessEngine({ stateDirectory, log })
    const engine = opening.then((opened) => limitStarts(opened))
    engines.set(kind, engine)
    engine.catch(() => engines.delete(kind)) // Docker may be there the next time
    return engine
  }
  const choose: Engines['choose'] = (kind) => (kind === 'auto' ? open('docker').catch(() => open('process')) : open(kind))
  return {
    choose,
    forProject: (id) => choose(projects.get(id).engine),
    opened: () => Promise.all(engines.values()),
    async [Symbol.asyncDispose]() {
      for (const engine of engines.values()) await (await engine.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
