import { openCollection } from '../../state/collection.ts'
import type { State } from '../../state/state.ts'
import type { Servers } from './servers.ts'

/**
 * Servers whose instance is gone while they could not be removed: of a creation that failed, or that a daemon's end cut short. They are removed by
 * the next start of the daemon, and before an instance of their name is made again.
 */
export interface Remains {
  /** Call it in the turn in which the instance's row goes. Durable when resolved. @param name `PROJECT:REGION:INSTANCE` */
  add(project: string, name: string): Promise<void>
  /** Removes what is left of this server, if anything. @throws CloudError as `Servers.remove` */
  sweep(project: string, name: string): Promise<void>
  /** What is left. */
  list(): readonly { readonly project: string; readonly name: string }[]
}

export function openRemains(state: State, servers: Servers): Remains {
  const rows = openCollection(state, 'sql.remains')
  const key = (project: string, name: string) => `projects/${project}/servers/${name}`
  return {
    add: (project, name) => rows.put(key(project, name), ''),
    async sweep(project, name) {
      if (rows.get(key(project, name)) === undefined) return
      await servers.remove(name)
      await rows.delete(key(project, name))
    },
    list: () =>
      rows.list('').map((row) => {
        const [, project = '', , ...rest] = row.name.split('/')
        return { project, name: rest.join('/') }
      }),
  }
}
