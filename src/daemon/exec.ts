import { Writable } from 'node:stream'
import { fromJson } from '@bufbuild/protobuf'
import { RevisionTemplateSchema } from '../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { CloudError } from '../base/cloud-error.ts'
import type { Tell } from './control.ts'
import type { ExecEvent, ExecRequest } from './control-protocol.ts'
import type { House } from './house.ts'

/** Runs a command inside a running instance, or to its end in a new one. */
export async function exec(
  house: House,
  input: Readonly<Record<string, unknown>>,
  tell: Tell<ExecEvent>,
  signal: AbortSignal,
): Promise<void> {
  const { project, service, command, oneOff } = input as unknown as ExecRequest
  const code = oneOff
    ? await runOnce(house, project, service, command, tell, signal)
    : await execInside(house, project, service, command, tell, signal)
  tell({ kind: 'exit', code })
}

async function runOnce(
  { foundation, catalog, api }: House,
  project: string,
  service: string,
  command: readonly string[],
  tell: Tell<ExecEvent>,
  signal: AbortSignal,
): Promise<number> {
  const region = catalog.run.serving(project).find(({ id }) => id === service)?.region ?? foundation.projects.get(project).region
  const { template } = await api.call('GET', `https://run.googleapis.com/v2/projects/${project}/locations/${region}/services/${service}`)
  return catalog.run.runOnce(
    foundation.projects.get(project),
    service,
    fromJson(RevisionTemplateSchema, template as never),
    command,
    ({ stream, text }) => tell({ kind: 'output', stream, data: Buffer.from(`${text}\n`).toString('base64') }),
    signal,
  )
}

async function execInside(
  { foundation, catalog }: House,
  project: string,
  service: string,
  command: readonly string[],
  tell: Tell<ExecEvent>,
  signal: AbortSignal,
): Promise<number> {
  const lease = await catalog.run.hold(project, service, signal)
  const engine = await foundation.engines.forProject(project)
  const containers = lease === undefined ? [] : await engine.list(signal)
  const container = containers.find(({ id }) => id === lease?.instance)
  if (container === undefined) {
    lease?.release()
    throw new CloudError('FAILED_PRECONDITION', `No instance of ${service} runs.`, `devcloud run ${service} -- ${command.join(' ')}`, {
      fault: 'NO_INSTANCE',
    })
  }
  const to = (stream: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const slow = tell({ kind: 'output', stream, data: chunk.toString('base64') })
        if (slow instanceof Promise) void slow.then(() => done())
        else done()
      },
    })
  try {
    return await container.exec(command, { stdout: to('stdout'), stderr: to('stderr') }, signal)
  } finally {
    lease?.release()
  }
}
