import { until } from '../../base/clock.ts'
import type { RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import type { LogLine } from '../../engine/engine.ts'
import { containerSpec } from './container-spec.ts'
import type { Project, RunNeeds } from './needs.ts'
import { withDefaults } from './resources.ts'

/**
 * Runs `command` to its end in the image and the surroundings of `template`: migrations, and `devcloud run`.
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
  const engine = await needs.engineFor(project.id, signal)
  const name = `${service}-once-${crypto.randomUUID().slice(0, 8)}`
  const spec = await containerSpec(needs, engine.kind, withDefaults(template), { project, service }, name)
  const { args: _args, ...rest } = spec
  const container = await engine.start({ ...rest, command }, signal)
  try {
    for await (const line of container.logs({ follow: true }, signal)) onLine(line)
    const status = await until(
      async () => {
        const seen = await container.inspect(signal)
        return seen.state === 'exited' ? seen : undefined
      },
      50,
      signal,
    )
    return status.exitCode ?? 1
  } finally {
    await container.remove(AbortSignal.timeout(30_000))
  }
}
