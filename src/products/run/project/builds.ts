import { z } from 'zod'
import type { BuildSource, Engine } from '../../../engine/engine.ts'
import { openCollection } from '../../../state/collection.ts'
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

const rowSchema = z.object({ image: z.string(), digest: z.string() })

export function openBuilds(state: State): Builds {
  const rows = openCollection(state, 'run.build')
  const nameOf = ({ project, name }: BuildSource) => `projects/${project}/builds/${name}`
  return {
    async find(source, engine) {
      const row = rowSchema.safeParse(JSON.parse(rows.get(nameOf(source)) ?? 'null'))
      if (!row.success) return undefined
      const { image, digest } = row.data
      const now = await engine()
        .then((found) => found.sourceDigest(source))
        .catch(() => undefined) // the build says what is wrong
      return { image, isCurrent: now === digest }
    },
    async build(source, engine, onLine, signal) {
      const digest = await engine.sourceDigest(source).catch(() => '')
      const { image, steps, cachedSteps } = await engine.build(source, onLine, signal)
      await rows.put(nameOf(source), JSON.stringify({ image, digest }))
      return [image, `${steps} steps, ${cachedSteps} cached`]
    },
  }
}
