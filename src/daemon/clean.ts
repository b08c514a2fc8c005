import { CloudError, messageOf } from '../base/cloud-error.ts'
import { deleteEverywhere } from '../state/collection.ts'
import type { UpEvent } from './control-protocol.ts'
import type { House } from './house.ts'

type Tell = (event: UpEvent) => void

/** Every project that a product holds something of, or that `up` has known. */
export function allProjects({ foundation, catalog }: Pick<House, 'foundation' | 'catalog'>): readonly string[] {
  const { projects, log } = foundation
  const told = catalog.all.flatMap((product) => {
    try {
      return product.projects?.() ?? []
    } catch (error) {
      log.error({ err: error, product: product.name }, 'a product cannot tell its projects')
      return []
    }
  })
  return [...new Set([...projects.list().map(({ id }) => id), ...projects.unreadable(), ...told.map((id) => projects.get(id).id)])]
}

/** Removes these projects. One that cannot be removed does not keep the others. @throws CloudError that names those that were not, and why */
export async function cleanProjects(house: House, ids: readonly string[], tell: Tell): Promise<void> {
  const failures: CloudError[] = []
  for (const id of ids) await cleanProject(house, id, tell).catch((error: unknown) => failures.push(toFailure(id, error)))
  const [first] = failures
  if (first === undefined) return
  if (failures.length === 1) throw first
  const names = failures.map(({ message }) => message)
  throw new CloudError(first.code, `${failures.length} of ${ids.length} projects are not gone.`, first.next, {
    fault: 'NOT_CLEAN',
    evidence: names,
  })
}

/**
 * Removes a project with everything in it: asks each product, then the engines, then what the daemon itself keeps of it. A step that fails
 * does not keep the others; the project is then still listed, and can be cleaned again.
 * @throws CloudError NOT_CLEAN with what each step said
 */
export async function cleanProject(house: House, project: string, tell: Tell): Promise<void> {
  const { foundation, catalog } = house
  const failures: { readonly name: string; readonly error: unknown }[] = []
  const step = async (name: string, work: () => Promise<void>) => {
    const began = performance.now()
    const about = { kind: 'step', id: `${project}:${name}`, name: `${project} ${name}` } as const
    try {
      await work()
      tell({ ...about, state: 'done', ms: Math.round(performance.now() - began) })
    } catch (error) {
      foundation.log.error({ err: error, project, step: name }, 'clean')
      failures.push({ name, error })
      tell({ ...about, state: 'failed', detail: messageOf(error) })
    }
  }
  for (const product of catalog.all.toReversed()) await step(product.name, async () => product.removeProject?.(project))
  await step('containers', () => removeContainers(house, project))
  await step('records', () => removeRecords(house, project))
  const [first] = failures
  if (first === undefined) return foundation.projects.delete(project)
  const evidence = failures.map(({ name, error }) => `${name}: ${messageOf(error)}`)
  const { code, next } = toFailure(project, first.error)
  throw new CloudError(code, `Project ${project} is not gone: ${evidence[0]}`, next, { cause: first.error, fault: 'NOT_CLEAN', evidence })
}

/** On its own engine, and on those where an earlier `up` may have left something. */
async function removeContainers({ foundation }: House, project: string): Promise<void> {
  const { engines, projects } = foundation
  const { engine: kind } = projects.get(project)
  const own = kind === 'auto' ? [] : [await engines.choose(kind)]
  for (const engine of new Set([...own, ...(await engines.opened())])) await engine.removeProject(project, AbortSignal.timeout(120_000))
}

/** What the daemon keeps of a project beside its products: logs, ports, sockets, and rows that no product reads any more. */
async function removeRecords({ foundation, gateway, identities }: House, project: string): Promise<void> {
  const { state, projects, containerLog, requests } = foundation
  const { id, number } = projects.get(project)
  await identities.removeProject(id)
  await gateway.removeProject(id)
  await Promise.all([containerLog.removeProject(id), requests.removeProject(id)])
  await Promise.all([deleteEverywhere(state, `projects/${id}`), deleteEverywhere(state, `projects/${number}`)])
}

function toFailure(project: string, error: unknown): CloudError {
  if (error instanceof CloudError) return error
  const next = `devcloud clean --project ${project}`
  return new CloudError('INTERNAL', `Project ${project} is not gone: ${messageOf(error)}`, next, { cause: error, fault: 'NOT_CLEAN' })
}
