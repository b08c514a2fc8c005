import type { Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { invalid } from '../invalid.ts'
import { defaultLimits } from '../defaults.ts'
import type { Limits } from './resource-limits.ts'

/** A container's own, or the defaults. @throws CloudError INVALID_ARGUMENT */
export function limitsOf({ resources }: Pick<Container, 'resources'>): Limits {
  return {
    cpus: readCpus(resources?.limits['cpu'] ?? defaultLimits.cpu),
    memoryBytes: readBytes(resources?.limits['memory'] ?? defaultLimits.memory),
  }
}

/** `1`, `1000m`, `0.5` in CPUs. @throws CloudError INVALID_ARGUMENT */
export function readCpus(text: string): number {
  const [, number, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(text) ?? []
  if (number === undefined) throw invalid(`"${text}" is not an amount of CPU.`, 'Write 1, 2, or 500m.')
  return Number(number) / (milli === 'm' ? 1000 : 1)
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, k: 1e3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** `512Mi`, `1G` in bytes. @throws CloudError INVALID_ARGUMENT */
export function readBytes(text: string): number {
  const [, number, unit] = /^(\d+)([KMGk]i?)?$/.exec(text) ?? []
  const factor = units[unit ?? '']
  if (number === undefined || factor === undefined) throw invalid(`"${text}" is not an amount of memory.`, 'Write 512Mi or 1Gi.')
  return Number(number) * factor
}
