import { lastPart } from '../../../base/last-part.ts'
import { given } from '../../../config/given.ts'
import type { KnativeService } from './knative-schema.ts'
import type { ServicePart } from './service-part.ts'
import type { WantedEnv } from './wanted-run.ts'

/** `ALIAS:projects/NUMBER/secrets/ID,...`: how version 1 of the API names secrets of other projects. */
export function readAliases(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim().split(':'))
  return new Map(pairs.map(([alias = '', name = '']) => [alias, lastPart(name)]))
}

export function toEnv(
  value: string | null | undefined,
  secret: { readonly name: string; readonly key: string | number } | undefined,
  aliases: ReadonlyMap<string, string>,
): WantedEnv {
  return secret === undefined ? { value: value ?? '' } : { secret: aliases.get(secret.name) ?? secret.name, version: String(secret.key) }
}

export function toProbes(container: KnativeService['spec']['template']['spec']['containers'][number] | undefined): ServicePart['probes'] {
  const { startupProbe, livenessProbe, readinessProbe } = container ?? {}
  const probes = given({ startupProbe, livenessProbe, readinessProbe })
  return Object.keys(probes).length === 0 ? undefined : probes
}
