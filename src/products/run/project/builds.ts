import type { BuildSource, Engine } from '../../../engine/engine.ts'
import { jsonKind } from '../../../state/resource-kind.ts'
import { openResources } from '../../../state/resources.ts'
import type { State } from '../../../state/state.ts'

/** What folders were built to: so a plan can tell, without a build, whether one is due. */
export interface Builds {
  /** The last build of `source`; undefined where there was none. */
  find(source: BuildSource, engine: () => Promise<Engine>): Promise<{ readonly image: string; readonly isCurrent: boolean } | undefined>
  /** Builds and remembers. Answers the image, and what was done in words. @throws CloudError BUILD_FAILED */
  build(
    source: BuildSource,
    engine: Engine,
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<readonly [image: string, words: string]>
}

interface Build {
  /** `projects/P/builds/NAME` */
  readonly name: string
  readonly image: string
  /** Of the source that it was built from, as the engine tells it. */
  readonly digest: string
}

export const buildKind = jsonKind<Build>('run.build', ({ name }) => name)

export function openBuilds(state: State): Builds {
  const builds = openResources(state, buildKind)
  const nameOf = ({ project, name }: BuildSource) => `projects/${project}/builds/${name}`
  return {
    async find(source, engine) {
      const known = builds.find(nameOf(source))
      if (known === undefined) return undefined
      const isCurrent = await engine()
        .then((found) => isBuilt(found, source, known))
        .catch(() => false) // the build says what is wrong
      return { image: known.image, isCurrent }
    },
    async build(source, engine, onLine, signal) {
      const before = await engine.sourceDigest(source, signal)
      const { image, steps, cachedSteps } = await engine.build(source, onLine, signal)
      const digest = before ?? (await engine.sourceDigest(source, signal)) ?? '' // a first build may install what the digest asks for
      await builds.put({ name: nameOf(source), image, digest })
      return [image, `${steps} steps, ${cachedSteps} cached`]
    },
  }
}

async function isBuilt(engine: Engine, source: BuildSource, { image, digest }: Build): Promise<boolean> {
  const signal = AbortSignal.timeout(30_000)
  return digest !== '' && (await engine.sourceDigest(source, signal)) === digest && (await engine.hasImage(image, signal))
}
