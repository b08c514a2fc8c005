import { clone } from '@bufbuild/protobuf'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { Container, LogLine } from '../../../engine/engine.ts'
import type { Project, RunNeeds } from '../needs.ts'
import { withDefaults } from '../services/fill-template.ts'
import { followToEnd } from './follow-to-end.ts'
import { ingressOf } from './instance-spec.ts'
import { startInstance } from './start-instance.ts'

/**
 * Runs `command` to its end in the image and the surroundings of `template`: migrations, and `devcloud run`. It gets no PORT and no K_*.
 * @returns the exit code
 */
export async function runOnce(
  needs: RunNeeds,
  project: Project,
  service: string,
  template: RevisionTemplate,
  command: readonly string[],
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<number> {
  const instance = await startInstance(
    needs,
    {
      name: `${service.slice(0, 36)}-once-${crypto.randomUUID().slice(0, 8)}`,
      project,
      template: alone(withDefaults(template), command),
      env: {},
      owner: { kind: 'once', service },
    },
    signal,
  )
  try {
    const onUnreadable = (_container: Container, error: unknown) =>
      needs.log.warn({ err: error, instance: instance.name }, 'its output cannot be read')
    const { exitCode } = await followToEnd(needs.log, instance, { until: 'main', onLine, onUnreadable }, signal).ended
    return exitCode ?? 1
  } finally {
    await instance.containers[0].remove(AbortSignal.timeout(30_000))
  }
}

/** The ingress container alone, with another command. */
function alone(template: RevisionTemplate, command: readonly string[]): RevisionTemplate {
  const copy = clone(RevisionTemplateSchema, template)
  const ingress = ingressOf(copy)
  if (ingress === undefined) return copy
  ingress.command = [...command]
  ingress.args = []
  copy.containers = [ingress]
  return copy
}
