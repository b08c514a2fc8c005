import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'

/** Opens something on the port that it had the last time, since what runs still speaks to it; on another one where that is taken. */
export async function rememberedPort<T extends { readonly port: number }>(
  state: State,
  name: string,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const rows = openCollection(state, 'port')
  const last = Number(rows.get(name) ?? 0)
  const opened = await open(last).catch((error: unknown) => {
    if (last === 0) throw error
    return open(0)
  })
  if (opened.port !== last) await rows.put(name, String(opened.port))
  return opened
}
