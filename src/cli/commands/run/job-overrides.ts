import { readCount, readDuration, readList, readPairs, type Given } from './flag-values.ts'

/** `overrides` of `jobs execute`: arguments replace, variables are added; absent without flags. @throws CloudError USAGE */
export function toOverrides(given: readonly Given[]): object | undefined {
  const containers: { name?: string; args?: string[]; clearArgs?: boolean; env?: { name: string; value: string }[] }[] = []
  const current = () => containers.at(-1) ?? containers[containers.push({}) - 1] ?? {}
  let overrides: { taskCount?: number; timeoutSeconds?: number } = {}
  for (const one of given) {
    if (one.flag === 'container') containers.push({ name: one.value })
    else if (one.flag === 'args') Object.assign(current(), one.value === '' ? { clearArgs: true } : { args: [...readList(one.value)] })
    else if (one.flag === 'update-env-vars') {
      const container = current()
      container.env = [...(container.env ?? []), ...readPairs(one).map(([name, value]) => ({ name, value }))]
    } else if (one.flag === 'tasks') overrides = { ...overrides, taskCount: readCount(one, 1, 10_000) ?? 1 }
    else if (one.flag === 'task-timeout') overrides = { ...overrides, timeoutSeconds: Number.parseInt(readDuration(one), 10) }
  }
  const all = { ...overrides, ...(containers.length > 0 && { containerOverrides: containers }) }
  return Object.keys(all).length === 0 ? undefined : all
}
