import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import type { BuildSource, BuiltImage } from '../engine.ts'
import { ask, wordsOf } from './ask.ts'
import { packContext } from './build-context.ts'
import { BuildOutput, missingImage, type BuildMessage } from './build-output.ts'
import type { DockerHost } from './docker-host.ts'
import { lineOfStep } from './dockerfile-steps.ts'
import { jsonLines } from './json-lines.ts'

/**
 * Builds a folder with the classic builder, which every Docker API has. The image keeps a tag of its own, so that neither a later build nor
 * `docker image prune` takes it from a revision.
 * @throws CloudError BUILD_FAILED with the last lines, and the Dockerfile's line where it can be told
 */
export async function buildImage(
  host: DockerHost,
  source: BuildSource,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const dockerfile = (source.dockerfile ?? 'Dockerfile').replace(/^\.\//, '')
  const text = await readFile(join(source.directory, dockerfile), 'utf8').catch((error: unknown) => {
    throw new CloudError('INVALID_ARGUMENT', `${dockerfile} of "${source.name}" cannot be read.`, 'Check build.dockerfile.', {
      cause: error,
      fault: 'BUILD_FAILED',
      evidence: [messageOf(error)],
    })
  })
  const output = new BuildOutput(onLine)
  const context = packContext(source.directory, dockerfile)
  try {
    const answer = await host.docker.buildImage(context, { dockerfile, rm: true, forcerm: true, abortSignal: signal })
    for await (const message of jsonLines<BuildMessage>(answer as AsyncIterable<unknown>)) output.accept(message)
  } catch (error) {
    signal.throwIfAborted()
    output.error = wordsOf(error)
  } finally {
    context.destroy()
  }
  signal.throwIfAborted()
  if (output.error !== undefined || output.imageId === undefined) throw failure(source, dockerfile, text, output)
  await tag(host, source, output.imageId, signal)
  return { image: output.imageId, steps: output.steps, cachedSteps: output.cachedSteps }
}

/** `devcloud/PROJECT/NAME`; what a repository's name cannot hold becomes a dash. */
export function repositoryOf(project: string, name: string): string {
  return `devcloud/${pathPart(project)}/${pathPart(name)}`
}

/** The tag that keeps an image for this state directory: `STATE-0123456789ab`. */
async function tag(host: DockerHost, source: BuildSource, imageId: string, signal: AbortSignal): Promise<void> {
  const repo = repositoryOf(source.project, source.name)
  const image = host.docker.getImage(imageId)
  await ask(image.tag({ repo, tag: `${host.state}-${imageId.replace(/^sha256:/, '').slice(0, 12)}` }), signal)
  await ask(image.tag({ repo, tag: 'latest' }), signal)
}

function pathPart(text: string): string {
  return text === '*'
    ? text
    : text
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-+|-+$/g, '')
}

function failure(source: BuildSource, dockerfile: string, text: string, output: BuildOutput): CloudError {
  const error = output.error ?? 'Docker ended the build without an image.'
  const { step } = output
  const line = step === undefined ? parseErrorLine(error) : lineOfStep(text, step.number, /^\w+/.exec(step.text)?.[0] ?? '')
  const where = line === undefined ? '' : ` at ${dockerfile}:${line}`
  const what = step === undefined ? '' : `: ${step.text.slice(0, 200)}`
  const image = step === undefined ? undefined : missingImage(step.text, error)
  const options = { fault: 'BUILD_FAILED', evidence: output.evidence() }
  if (image !== undefined) {
    const message = `The image "${image}" that "${source.name}" is built from could not be pulled${where}.`
    return new CloudError('FAILED_PRECONDITION', message, `docker pull ${image}`, options)
  }
  if (/requires BuildKit|the --\w+ option requires/i.test(error)) {
    const message = `The build of "${source.name}" needs BuildKit${where}${what}.`
    return new CloudError('FAILED_PRECONDITION', message, 'Write that step for the classic builder, without RUN --mount.', options)
  }
  return new CloudError('FAILED_PRECONDITION', `The build of "${source.name}" failed${where}${what}.`, `Mend ${dockerfile}.`, options)
}

/** `dockerfile parse error line 3: unknown instruction: FOO` */
function parseErrorLine(error: string): number | undefined {
  const line = /dockerfile parse error (?:on )?line (\d+)/i.exec(error)?.[1]
  return line === undefined ? undefined : Number(line)
}
