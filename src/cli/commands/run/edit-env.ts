import { readList, readPairs, readPairsFile, usage, type Given } from './flag-values.ts'
import type { ContainerJson, EnvJson } from './run-json.ts'

/** The flags of plain variables. What a secret gives stays: `edit-secrets.ts` has that. */
export const envFlags: readonly string[] = ['set-env-vars', 'update-env-vars', 'remove-env-vars', 'clear-env-vars', 'env-vars-file']

/** Removing goes before updating, whatever their order. @throws CloudError USAGE */
export function editEnv(container: ContainerJson, given: readonly Given[]): void {
  const of = (flag: string) => given.filter((one) => one.flag === flag)
  const replacing = [...of('set-env-vars'), ...of('env-vars-file'), ...of('clear-env-vars')]
  checkAlone(replacing, [...of('update-env-vars'), ...of('remove-env-vars')])
  const removed = new Set(of('remove-env-vars').flatMap(({ value }) => readList(value)))
  const added = [...[...of('set-env-vars'), ...of('update-env-vars')].flatMap(readPairs), ...of('env-vars-file').flatMap(readPairsFile)]
  const kept = (container.env ?? []).filter(
    ({ name, valueSource }) => !removed.has(name) && (replacing.length === 0 || valueSource !== undefined),
  )
  const env = new Map<string, EnvJson>(kept.map((one) => [one.name, one]))
  for (const [name, value] of added) {
    if (env.get(name)?.valueSource !== undefined) {
      throw usage(
        `Cannot update environment variable [${name}] to string literal because it has already been set with a different type.`,
        `--remove-secrets=${name} takes the secret away first.`,
      )
    }
    env.set(name, { name, value })
  }
  container.env = [...env.values()]
}

/** Flags that replace everything stand alone. @throws CloudError USAGE */
export function checkAlone(replacing: readonly Given[], changing: readonly Given[]): void {
  const flags = [...new Set([...replacing, ...changing].map(({ flag }) => flag))]
  if (replacing.length === 0 || flags.length === 1) return
  throw usage(`At most one of ${flags.map((flag) => `--${flag}`).join(' | ')} can be specified.`, 'Leave one out.')
}
