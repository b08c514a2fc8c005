import { lastPart } from '../../../base/last-part.ts'
import { given } from '../../../config/given.ts'
import type { KnativeService } from './knative-schema.ts'
import { readCpu, readMemory } from './quantities.ts'
import type { ServicePart } from './service-part.ts'
import type { WantedEnv } from './wanted-run.ts'

/** `ALIAS:projects/NUMBER/secrets/ID,...`: how version 1 of the API names secrets of other projects. */
export function readAliases(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim().split(':'))
  return new Map(pairs.map(([alias = '', name = '']) => [alias, lastPart(name)]))
}

type KnativeContainer = KnativeService['spec']['template']['spec']['containers'][number]

/** What the container of a service, of a sidecar and of a job say alike. */
export function readContainer(container: KnativeContainer | undefined, aliases: ReadonlyMap<string, string>) {
  const { image, command, args, env, resources } = container ?? {}
  const limits = resources?.limits
  return {
    env: Object.fromEntries((env ?? []).map(({ name, value, valueFrom }) => [name, toEnv(value, valueFrom?.secretKeyRef, aliases)])),
    ...given({
      image: image || undefined,
      command: command?.length ? command : undefined,
      args: args?.length ? args : undefined,
      cpus: limits?.cpu === undefined ? undefined : readCpu(limits.cpu),
      memoryBytes: limits?.memory === undefined ? undefined : readMemory(limits.memory),
    }),
  }
}

function toEnv(
  value: string | null | undefined,
  secret: { readonly name: string; readonly key: string | number } | undefined,
  aliases: ReadonlyMap<string, string>,
): WantedEnv {
  return secret === undefined ? { value: value ?? '' } : { secret: aliases.get(secret.name) ?? secret.name, version: String(secret.key) }
}

export function toProbes(container: KnativeContainer | undefined): ServicePart['probes'] {
  const { startupProbe, livenessProbe, readinessProbe } = container ?? {}
  const probes = given({ startupProbe, livenessProbe, readinessProbe })
  return Object.keys(probes).length === 0 ? undefined : probes
}
