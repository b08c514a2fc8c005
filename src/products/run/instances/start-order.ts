import type { Container as RunContainer } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { invalid } from '../invalid.ts'
import { ingressOf, type InstanceTemplate } from './instance-spec.ts'

/**
 * The containers of a template, each behind all that it depends on; of those that may go first the ingress container does,
 * or goes last. Pure.
 * @param ingressGoes last where it ends by itself, as that of a task: who starts first owns the network that the others join
 * @throws CloudError INVALID_ARGUMENT for a dependency that no container is, and for a circle
 */
export function startOrder(template: InstanceTemplate, ingressGoes: 'first' | 'last' = 'first'): RunContainer[] {
  const ingress = ingressOf(template)
  const sign = ingressGoes === 'first' ? -1 : 1
  const waiting = template.containers.toSorted((a, b) => sign * (Number(a === ingress) - Number(b === ingress)))
  const names = new Set(waiting.map((container) => container.name))
  for (const { name, dependsOn } of waiting) {
    const unknown = dependsOn.find((other) => !names.has(other))
    if (unknown !== undefined) {
      throw invalid(`Container "${name}" depends on "${unknown}", which is not a container of the template.`, 'Name one that is.')
    }
  }
  const ordered: RunContainer[] = []
  const begun = new Set<string>()
  while (waiting.length > 0) {
    const next = waiting.findIndex((container) => container.dependsOn.every((other) => begun.has(other)))
    if (next === -1) {
      const circle = waiting.map((container) => `"${container.name}"`).join(', ')
      throw invalid(`The containers ${circle} depend on one another in a circle.`, 'Remove one of the dependencies.')
    }
    const [container] = waiting.splice(next, 1)
    if (container === undefined) break
    ordered.push(container)
    begun.add(container.name)
  }
  return ordered
}
