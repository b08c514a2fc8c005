import type { UpEvent } from './control-protocol.ts'
import type { House } from './daemon.ts'

/** Stops a project's instances and databases; what they are and hold stays for the next `up`. */
export async function down({ foundation, catalog }: House, project: string, tell: (event: UpEvent) => void): Promise<void> {
  const { projects } = foundation
  await projects.put({ ...projects.get(project), isUp: false })
  const began = performance.now()
  const count = catalog.run.serving(project).reduce((sum, { instances }) => sum + instances.length, 0)
  tell({ kind: 'step', id: 'instances', name: 'stop instances', state: 'started' })
  await catalog.run.stopProject(project)
  tell({
    kind: 'step',
    id: 'instances',
    name: 'stop instances',
    state: 'done',
    detail: String(count),
    ms: Math.round(performance.now() - began),
  })
  await catalog.sql.stopProject(project)
  tell({ kind: 'step', id: 'databases', name: 'stop databases', state: 'done', detail: 'data stays: devcloud clean removes it' })
}
