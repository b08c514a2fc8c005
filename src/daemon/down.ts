import type { UpEvent } from './control-protocol.ts'
import type { House } from './house.ts'

/** Stops what runs for a project; resources and data stay for the next `up`. What stands on others stops first. */
export async function down({ foundation, catalog }: House, project: string, tell: (event: UpEvent) => void): Promise<void> {
  const { projects } = foundation
  await projects.put({ ...projects.get(project), isUp: false })
  for (const product of catalog.all.toReversed()) {
    if (product.stopProject === undefined) continue
    const began = performance.now()
    const step = { kind: 'step', id: `stop:${product.name}`, name: `stop ${product.name}` } as const
    tell({ ...step, state: 'started' })
    const detail = (await product.stopProject(project)) || 'nothing to stop'
    tell({ ...step, state: 'done', detail, ms: Math.round(performance.now() - began) })
  }
}
