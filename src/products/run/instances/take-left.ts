import type { RunNeeds } from '../needs.ts'
import { ownerOf, type ContainerOwner } from './container-labels.ts'
import { groupByInstance, isSidecar, type InstanceContainers } from './instance.ts'

/** An instance that an earlier daemon started, and left running or ended. */
export interface LeftInstance<K extends ContainerOwner['kind']> {
  readonly owner: Extract<ContainerOwner, { kind: K }>
  readonly containers: InstanceContainers
}

/**
 * What an earlier daemon left of this kind in a project. An instance that lacks its main container, or that is not whole, never came up, or
 * somebody removed a part of it: its containers are removed here.
 * @param isWhole whether the containers are all of an instance that is still wanted
 * @param onListed told once the engine has answered, before anything is removed
 */
export async function takeLeft<K extends ContainerOwner['kind']>(
  needs: RunNeeds,
  project: string,
  kind: K,
  isWhole: (owner: LeftInstance<K>['owner'], containers: InstanceContainers) => boolean,
  closing: AbortSignal,
  onListed: () => void = () => {},
): Promise<readonly LeftInstance<K>[]> {
  const engine = await needs.engineFor(project, closing)
  const all = await engine.list(AbortSignal.any([closing, AbortSignal.timeout(30_000)]))
  onListed()
  const left: LeftInstance<K>[] = []
  for (const containers of groupByInstance(all.filter((one) => one.project === project && ownerOf(one, kind) !== undefined))) {
    const [main] = containers
    const owner = ownerOf(main, kind)
    if (owner !== undefined && !isSidecar(main) && isWhole(owner, containers)) left.push({ owner, containers })
    else for (const container of containers) await container.remove(AbortSignal.timeout(30_000))
  }
  return left
}
