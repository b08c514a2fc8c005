import type { Container, Engine } from '../engine/engine.ts'
import { databaseLabel } from '../postgres/container-spec.ts'
import type { House } from './daemon.ts'

/** Takes over what an earlier daemon left running, and removes what nobody wants. An engine that does not answer now is asked at the next `up`. */
export async function adopt(house: House): Promise<void> {
  const { projects, engines, log } = house.foundation
  const kinds = new Set(projects.list().map(({ engine }) => engine))
  for (const kind of kinds) {
    if (kind === 'auto') continue
    const engine = await engines.choose(kind).catch((error: unknown) => log.warn({ err: error, kind }, 'engine does not answer'))
    if (engine === undefined) continue
    for (const project of projects.list()) {
      if (project.engine === kind && project.isUp) await openProject(house, engine, project.id, AbortSignal.timeout(60_000))
    }
    await adoptContainers(house, engine)
  }
  await house.catalog.run.resume()
}

/** The network of a project, and its way to Google's names. */
export async function openProject({ gateway }: House, engine: Engine, project: string, signal: AbortSignal): Promise<void> {
  if (engine.kind === 'docker') await gateway.listenForProject(project)
  await engine.openProject(project, signal)
}

async function adoptContainers({ catalog, foundation }: House, engine: Engine): Promise<void> {
  const containers = await engine.list(AbortSignal.timeout(30_000))
  // src/postgres finds its own when their instances are opened
  const unwanted = catalog.run.adopt(containers.filter((container: Container) => container.labels[databaseLabel] === undefined))
  await Promise.all(
    unwanted.map(async (container) => {
      foundation.log.info({ container: container.name, labels: container.labels }, 'removed: nobody wants it')
      await container.remove(AbortSignal.timeout(30_000))
    }),
  )
}
