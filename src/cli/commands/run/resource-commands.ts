import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { usage } from './flag-values.ts'
import { getKnative, getResource } from './get-resource.ts'
import { interruptible } from './interruptible.ts'
import { collectionUrl } from './knative.ts'
import { addListOptions, type ListOptions } from './print-resources.ts'
import { openProgress } from './progress.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { addWideOptions, openScope, type Scope, type WideOptions } from './scope.ts'

export interface WaitOptions extends WideOptions {
  readonly async?: boolean
}

/** `list`. */
export function addList<T extends ListOptions>(group: Command, words: string, list: (scope: Scope, options: T) => Promise<void>): Command {
  return addListOptions(addWideOptions(group.command('list').description(words))).action(async (options: T) =>
    list(await openScope(options), options),
  )
}

/** `describe ID`. */
export function addDescribe(
  group: Command,
  { argument }: ResourceKind,
  words: string,
  describe: (scope: Scope, id: string, options: WideOptions) => Promise<void>,
): void {
  addWideOptions(group.command('describe').description(words))
    .argument(`<${argument}>`, 'its name')
    .action(async (id: string, options: WideOptions) => describe(await openScope(options), id, options))
}

/** `delete ID`. It asks on a terminal, and waits unless it is told not to. */
export function addDelete(group: Command, kind: ResourceKind, words: string): void {
  addChange(group, kind, 'delete', words).action((id: string, options: WaitOptions) =>
    interruptible(async () => {
      const scope = await openScope(options)
      await (kind.isDeep ? getKnative(scope, kind, id) : getResource(scope, kind, id))
      const name = `${kind.words} [${id}]`
      await confirm(options, `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`)
      if (kind.isDeep) await scope.api.call('DELETE', `${collectionUrl(scope, kind)}/${encodeURIComponent(id)}`)
      else {
        const operation = await scope.api.call('DELETE', `${scope.parent}/${kind.collection}/${encodeURIComponent(id)}`)
        if (options.async !== true) await scope.api.wait(operation)
      }
      openProgress(options).note(`Deleted ${name}.`)
    }),
  )
}

/** A command that changes a resource, and waits for that by itself. */
export function addChange(group: Command, { argument }: ResourceKind, verb: string, words: string): Command {
  return addWideOptions(group.command(verb).description(words))
    .argument(`<${argument}>`, 'its name')
    .option('--async', 'do not wait')
    .option('--no-async', 'wait')
}

/** On a terminal a deletion asks first; `--quiet`, and what is no terminal, say yes. */
async function confirm({ quiet }: WideOptions, what: string): Promise<void> {
  if (quiet === true || process.stdin.isTTY !== true) return
  using terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${what} will be deleted. Continue (Y/n)? `)
  if (/^n(o)?$/i.test(answer.trim())) throw usage('Aborted by user.', '')
}
