import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { CloudError, messageOf } from '../../base/cloud-error.ts'
import type { BuildSource, BuiltImage } from '../engine.ts'
import { ask, isUnreachable, wordsOf } from './ask.ts'
import { neverWaits, packContext } from './build-context.ts'
import type { BuildMessage, BuildProgress } from './build-progress.ts'
import { BuildKitProgress } from './buildkit-progress.ts'
import { ClassicProgress } from './classic-progress.ts'
import type { DockerHost } from './docker-host.ts'
import { needsBuildKit } from './dockerfile-steps.ts'
import { jsonLines } from './json-lines.ts'

/**
 * Builds a folder with the classic builder, or with BuildKit when the Dockerfile needs BuildKit. The image keeps a tag of its own, so that neither a
 * later build nor `docker image prune` removes the image of a revision.
 * @throws CloudError BUILD_FAILED with the last lines, and the Dockerfile's line where the builder tells the line
 */
export async function buildImage(
  host: DockerHost,
  source: BuildSource,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const dockerfile = dockerfileOf(source)
  const text = await readDockerfile(source, dockerfile)
  const withBuildKit = needsBuildKit(text) && !host.product.startsWith('Podman') // Podman's one builder has those flags
  const progress: BuildProgress = withBuildKit ? new BuildKitProgress(onLine) : new ClassicProgress(onLine)
  const tellSkipped = (paths: readonly string[]) =>
    onLine(
      `Not sent, since they are no files, folders or links with a UTF-8 name: ${paths.slice(0, 10).join(', ')}${paths.length > 10 ? ', ...' : ''}`,
    )
  const context = packContext(source.directory, dockerfile, tellSkipped)
  const error = await run(host, context, dockerfile, withBuildKit, progress, signal)
  if (error !== undefined || progress.imageId === undefined) {
    throw failure(source, dockerfile, text, progress, error ?? 'Docker ended the build without an image.')
  }
  await tag(host, source, progress.imageId, signal)
  return { image: progress.imageId, steps: progress.steps, cachedSteps: progress.cachedSteps }
}

/** The Dockerfile's path within the folder, as the context has it. */
export function dockerfileOf({ dockerfile = 'Dockerfile' }: BuildSource): string {
  return dockerfile.replace(/^\.\//, '')
}

/** `devcloud/PROJECT/NAME`. Characters that a repository's name cannot have become dashes. The name `*` matches every name. */
export function repositoryOf(project: string, name: string): string {
  return `devcloud/${pathPart(project)}/${name === '*' ? name : pathPart(name)}`
}

async function readDockerfile(source: BuildSource, dockerfile: string): Promise<string> {
  return await readFile(join(source.directory, dockerfile), { encoding: 'utf8', flag: neverWaits }).catch((error: unknown) => {
    throw new CloudError('INVALID_ARGUMENT', `${dockerfile} of "${source.name}" cannot be read.`, 'Check build.dockerfile.', {
      cause: error,
      fault: 'BUILD_FAILED',
      evidence: [messageOf(error)],
    })
  })
}

/** Why the build failed, in Docker's words. */
async function run(
  host: DockerHost,
  context: Readable,
  dockerfile: string,
  withBuildKit: boolean,
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<string | undefined> {
  // a number: for '2' dockerode opens a session, which is only for credentials and stays open after an abort
  const version = withBuildKit ? { version: 2 as unknown as '2' } : {}
  try {
    const options = { dockerfile, rm: true, forcerm: true, abortSignal: signal, ...version }
    const answer = await ask(host.docker.buildImage(context, options), signal, Number.POSITIVE_INFINITY)
    for await (const message of jsonLines<BuildMessage>(answer as AsyncIterable<unknown>)) progress.accept(message)
    return progress.error
  } catch (error) {
    if (isUnreachable(error)) throw error
    return (progress.error ??= wordsOf(error))
  } finally {
    context.destroy()
    signal.throwIfAborted()
  }
}

/** The tag that keeps an image for this state directory: `STATE-0123456789ab`. */
async function tag(host: DockerHost, source: BuildSource, imageId: string, signal: AbortSignal): Promise<void> {
  const repo = repositoryOf(source.project, source.name)
  const image = host.docker.getImage(imageId)
  await ask(image.tag({ repo, tag: `${host.state}-${imageId.replace(/^sha256:/, '').slice(0, 12)}` }), signal)
  await ask(image.tag({ repo, tag: 'latest' }), signal)
}

function pathPart(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

function failure(source: BuildSource, dockerfile: string, text: string, progress: BuildProgress, error: string): CloudError {
  const { step } = progress
  const line = progress.line(text)
  const where = line === undefined ? '' : ` at ${dockerfile}:${line}`
  const what = step === undefined ? '' : `: ${step.slice(0, 200)}`
  const image = progress.missingImage()
  const evidence = progress.evidence()
  const options = { fault: 'BUILD_FAILED', evidence: evidence.includes(error) ? evidence : [...evidence.slice(-19), error] }
  if (image !== undefined) {
    const message = `The image "${image}" that "${source.name}" is built from could not be pulled${where}.`
    return new CloudError('FAILED_PRECONDITION', message, `docker pull ${image}`, options)
  }
  return new CloudError('FAILED_PRECONDITION', `The build of "${source.name}" failed${where}${what}.`, `Mend ${dockerfile}.`, options)
}
