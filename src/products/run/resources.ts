import { createHash } from 'node:crypto'
import { create, clone, toJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf'
import { CloudError } from '../../base/cloud-error.ts'
import {
  ConditionSchema,
  Condition_RevisionReason,
  Condition_State,
  type Condition,
} from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { fillContainers, fillIngress } from './instances/container-rules.ts'
import type { Container } from '../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { limitsOf } from './instances/amounts.ts'
import { checkGeneration, checkLimits } from './instances/resource-limits.ts'
import { ExecutionEnvironment } from '../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'

/** The parts of `projects/P/locations/R/services/S`, or of a revision below it. */
export interface ServiceName {
  readonly project: string
  readonly region: string
  readonly service: string
}

/** @throws CloudError INVALID_ARGUMENT when `name` has another form */
export function readServiceName(name: string): ServiceName {
  const [, project, region, service] = /^projects\/([^/]+)\/locations\/([^/]+)\/services\/([^/]+)$/.exec(name) ?? []
  if (project === undefined || region === undefined || service === undefined) {
    throw new CloudError(
      'INVALID_ARGUMENT',
      `"${name}" is not a service's name.`,
      'Write projects/PROJECT/locations/REGION/services/SERVICE.',
    )
  }
  return { project, region, service }
}

/** @throws CloudError INVALID_ARGUMENT. A letter first, then letters, digits and hyphens, fewer than 50 in all (Run v2 Service.name). */
export function checkServiceId(id: string): void {
  if (/^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/.test(id)) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `Violation in CreateServiceRequest.service_id: "${id}" must begin with a letter, hold only lower case letters, digits and hyphens, and be shorter than 50 characters.`,
    'Choose such an id.',
  )
}

/** Cloud Run's defaults (contract: cloud-run.md 1), written into a copy of what the client sent. */
export function withDefaults(sent: RevisionTemplate): RevisionTemplate {
  const template = clone(RevisionTemplateSchema, sent)
  template.timeout ??= { $typeName: 'google.protobuf.Duration', seconds: 300n, nanos: 0 }
  fillIngress(template)
  fillContainers(template)
  const limits = template.containers.map(limitsOf)
  template.maxInstanceRequestConcurrency ||= limits.reduce((sum, { cpus }) => sum + cpus, 0) < 1 ? 1 : 80
  checkLimits(limits, template.maxInstanceRequestConcurrency)
  const isAlwaysOn = template.containers.some(({ resources }) => resources?.cpuIdle === false)
  checkGeneration(limits, template.executionEnvironment === ExecutionEnvironment.GEN2, isAlwaysOn)
  template.scaling ??= { $typeName: 'google.cloud.run.v2.RevisionScaling', minInstanceCount: 0, maxInstanceCount: 0 }
  template.scaling.maxInstanceCount ||= 100
  for (const [index, container] of template.containers.entries()) checkEnvironment(index, container)
  return template
}

/** Two templates with one key make one revision (run trap 29). A revision's own name does not count, nor which tool sent it. */
export function templateKey(template: RevisionTemplate): string {
  const copy = clone(RevisionTemplateSchema, template)
  copy.revision = ''
  for (const key of Object.keys(copy.annotations)) if (key.startsWith('run.googleapis.com/client-')) delete copy.annotations[key]
  return createHash('sha256')
    .update(orderedText(toJson(RevisionTemplateSchema, copy)))
    .digest('hex')
}

/** JSON with the keys of every object in order, so that only values count. */
export function orderedText(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** `SERVICE-00001-abc`: five digits of generation and three letters, as Cloud Run makes them. */
export function revisionId(service: string, generation: bigint, letters: string): string {
  return `${service}-${String(generation).padStart(5, '0')}-${letters}`
}

/** A condition as Cloud Run writes it: without reason when it holds. */
export function condition(
  type: string,
  state: Condition_State,
  message = '',
  at: Date = new Date(),
  reason?: Condition_RevisionReason,
): Condition {
  const init: MessageInitShape<typeof ConditionSchema> = {
    type,
    state,
    message,
    lastTransitionTime: { seconds: BigInt(Math.floor(at.getTime() / 1000)), nanos: (at.getTime() % 1000) * 1e6 },
  }
  if (reason !== undefined) init.reasons = { case: 'revisionReason', value: reason }
  return create(ConditionSchema, init)
}

function checkEnvironment(index: number, { env }: Container): void {
  const reserved = env.map(({ name }) => name).find((name) => ['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION'].includes(name))
  if (reserved === undefined) return
  throw new CloudError(
    'INVALID_ARGUMENT',
    `template.containers[${index}].env: The following reserved env names were provided: ${reserved}. These values are automatically set by the system.`,
    `Remove ${reserved}.`,
  )
}
