import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, Engine } from '../engine/engine.ts'
import { databaseLabel } from '../postgres/container-spec.ts'
import type { House } from './house.ts'

/** Between two questions to an engine that does not answer: the first time, and at most. */
const retryMs = { first: 1000, most: 30_000 }

/**
 * Takes over what an earlier daemon left running, and removes what nobody wants. Returns when every engine has been asked once; one that does
 * not answer is asked again until it does, or `signal` ends.
 */
export async function adopt(house: House, signal: AbortSignal): Promise<void> {
  const { projects, log } = house.foundation
  const kinds = new Set(projects.list().flatMap(({ engine }) => (engine === 'auto' ? [] : [engine])))
  for (const kind of kinds) {
    await adoptFrom(house, kind).catch((error: unknown) => {
      log.warn({ err: error, kind }, 'engine does not answer')
      void retry(house, kind, signal)
    })
  }
  await house.catalog.run.resume()
}

async function retry(house: House, kind: Engine['kind'], signal: AbortSignal): Promise<void> {
  for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.most)) {
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
    if (signal.aborted) return
    try {
      await adoptFrom(house, kind)
      house.foundation.log.info({ kind }, 'engine answers again')
      return await house.catalog.run.resume()
    } catch (error) {
      house.foundation.log.debug({ err: error, kind }, 'engine does not answer yet')
    }
  }
}

/** @throws CloudError DOCKER_UNREACHABLE */
async function adoptFrom(house: House, kind: Engine['kind']): Promise<void> {
  const { projects, engines } = house.foundation
  const engine = await engines.choose(kind)
  for (const project of projects.list()) {
    if (project.engine === kind && project.isUp) await openProject(house, engine, project.id, AbortSignal.timeout(60_000))
  }
  await adoptContainers(house, engine)
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
