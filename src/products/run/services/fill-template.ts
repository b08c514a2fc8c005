import { clone } from '@bufbuild/protobuf'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { ExecutionEnvironment } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { defaultConcurrency, defaultMaxInstances, defaultRequestSeconds, reservedEnv } from '../defaults.ts'
import { limitsOf } from '../instances/amounts.ts'
import { fillContainers, fillIngress } from '../instances/container-rules.ts'
import { checkGeneration, checkLimits } from '../instances/resource-limits.ts'

/** Cloud Run's defaults (contract: cloud-run.md 1), written into a copy of what the client sent. @throws CloudError INVALID_ARGUMENT */
export function withDefaults(sent: RevisionTemplate): RevisionTemplate {
  const template = clone(RevisionTemplateSchema, sent)
  template.timeout ??= { $typeName: 'google.protobuf.Duration', seconds: defaultRequestSeconds, nanos: 0 }
  fillIngress(template)
  fillContainers(template, {
    field: 'template.containers',
    reservedEnv: reservedEnv.service,
    isFirstGeneration: template.executionEnvironment === ExecutionEnvironment.GEN1,
  })
  const limits = template.containers.map(limitsOf)
  template.maxInstanceRequestConcurrency ||= limits.reduce((sum, { cpus }) => sum + cpus, 0) < 1 ? 1 : defaultConcurrency
  checkLimits(limits, template.maxInstanceRequestConcurrency)
  const isAlwaysOn = template.containers.some(({ resources }) => resources?.cpuIdle === false)
  checkGeneration(limits, template.executionEnvironment === ExecutionEnvironment.GEN2, isAlwaysOn)
  template.scaling ??= { $typeName: 'google.cloud.run.v2.RevisionScaling', minInstanceCount: 0, maxInstanceCount: 0 }
  template.scaling.maxInstanceCount ||= defaultMaxInstances
  return template
}
