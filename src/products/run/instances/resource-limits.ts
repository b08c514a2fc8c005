import { invalid } from '../invalid.ts'

/** One container's. */
export interface Limits {
  readonly cpus: number
  readonly memoryBytes: number
}

const gibibyte = 2 ** 30

/** What memory goes with how much CPU: https://cloud.google.com/run/docs/configuring/services/memory-limits */
const memoryOf: readonly { readonly upToCpus: number; readonly min: number; readonly max: number }[] = [
  { upToCpus: 0.499, min: gibibyte / 8, max: gibibyte / 2 },
  { upToCpus: 0.999, min: gibibyte / 8, max: gibibyte },
  { upToCpus: 1, min: gibibyte / 8, max: 4 * gibibyte },
  { upToCpus: 2, min: gibibyte / 8, max: 8 * gibibyte },
  { upToCpus: 4, min: 2 * gibibyte, max: 16 * gibibyte },
  { upToCpus: 6, min: 4 * gibibyte, max: 24 * gibibyte },
  { upToCpus: 8, min: 4 * gibibyte, max: 32 * gibibyte },
]

/**
 * Whether Cloud Run would take these limits.
 * @param concurrency of the whole instance; absent for what serves no requests
 * @throws CloudError INVALID_ARGUMENT
 */
export function checkLimits(containers: readonly Limits[], concurrency: number | undefined): void {
  for (const [index, limits] of containers.entries()) checkContainer(limits, `template.containers[${index}].resources.limits`)
  const total = containers.reduce((sum, { cpus }) => sum + cpus, 0)
  if (concurrency !== undefined && concurrency > 1 && total < 1) {
    throw invalid(
      'template.containers.resources.limits.cpu: Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1.',
      'Set maxInstanceRequestConcurrency to 1, or give a whole CPU.',
    )
  }
}

/**
 * What a service may not have together. Source: cloud.google.com/run/docs/configuring/services/cpu and /memory-limits.
 * @param isSecond whether the second generation of the execution environment is asked for by name
 * @param isAlwaysOn whether the CPU is kept between requests
 * @throws CloudError INVALID_ARGUMENT
 */
export function checkGeneration(containers: readonly Limits[], isSecond: boolean, isAlwaysOn: boolean): void {
  const cpus = containers.reduce((sum, limits) => sum + limits.cpus, 0)
  const bytes = containers.reduce((sum, limits) => sum + limits.memoryBytes, 0)
  const field = 'template.containers.resources.limits'
  const refuse = (part: string, words: string) => {
    throw invalid(`${field}.${part}: Invalid value specified for ${words}`, 'Choose a larger amount.')
  }
  if (isAlwaysOn && cpus < 1) refuse('cpu', 'cpu. Total cpu < 1 is not supported with CPU that is always allocated.')
  if (isSecond && cpus < 1) refuse('cpu', 'cpu. Total cpu < 1 is not supported with the second generation execution environment.')
  if (isSecond && bytes < gibibyte / 2)
    refuse('memory', 'container memory. For the second generation execution environment, memory must be at least 512Mi.')
}

/** What a container has while it starts, where the boost is asked for: https://cloud.google.com/run/docs/configuring/services/cpu#startup-boost */
export function boostedCpus(cpus: number): number {
  if (cpus <= 1) return 2
  return cpus <= 2 ? 4 : 8
}

function checkContainer({ cpus, memoryBytes: bytes }: Limits, field: string): void {
  if (!(cpus >= 0.08 && cpus < 1) && ![1, 2, 4, 6, 8].includes(cpus)) {
    const message = `${field}.cpu: Invalid value specified for cpu. ${cpus} is not one of: 0.08 up to 1, 1, 2, 4, 6, 8.`
    throw invalid(message, 'Choose one of them.')
  }
  const row = memoryOf.find((found) => cpus <= found.upToCpus)
  if (row !== undefined && bytes >= row.min && bytes <= row.max) return
  throw invalid(
    `${field}.memory: Invalid value specified for container memory. For ${cpus < 1 ? cpus : cpus.toFixed(1)} CPU, memory must be between ${toText(row?.min)} and ${toText(row?.max)} inclusive.`,
    'Choose such an amount, or other CPUs.',
  )
}

function toText(bytes = 0): string {
  return bytes % gibibyte === 0 ? `${bytes / gibibyte}Gi` : `${bytes / 2 ** 20}Mi`
}
