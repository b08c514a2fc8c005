import type { Step } from '../api/product-plan.ts'
import type { UpEvent } from './control-protocol.ts'

/** A step with what carries it out. */
export interface RunnableStep extends Step {
  run(signal: AbortSignal): Promise<string>
}

/**
 * Carries out steps, as many at once as their order allows, and tells of each. The first that fails ends those under way and starts no others.
 * @returns by id, what each step did, in its own words
 * @throws what the first failed step threw, when nothing is under way any more
 */
export async function runSteps(
  steps: readonly RunnableStep[],
  tell: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const done = new Map<string, string>()
  const failed = new AbortController()
  const over = AbortSignal.any([signal, failed.signal])
  const running = new Map<string, Promise<void>>()
  const start = async (step: RunnableStep): Promise<void> => {
    await Promise.all(predecessors(step, steps).map((id) => running.get(id)))
    over.throwIfAborted()
    done.set(step.id, await told(step, tell, over))
  }
  // in order, so that a step finds those before it under way
  for (const step of inOrder(steps)) {
    const started = start(step)
    started.catch((error: unknown) => failed.abort(error))
    running.set(step.id, started)
  }
  await Promise.allSettled(running.values())
  signal.throwIfAborted()
  if (failed.signal.aborted) throw failed.signal.reason
  return done
}

/** Ids of the steps that have to be done before `step`. Pure. */
export function predecessors({ id, stage, after }: Step, steps: readonly Step[]): readonly string[] {
  const others = steps.filter((other) => other.id !== id)
  const implied = others.filter(
    (other) => (stage !== 'build' && id !== networkId && other.id === networkId) || (stage === 'workload' && other.stage === 'resource'),
  )
  const named = others.filter((other) => after.includes(other.id))
  return [...new Set([...implied, ...named].map((other) => other.id))]
}

/** The step that makes the project's network. */
export const networkId = 'network'

/** Each step behind those that come before it; as they stand where nothing is said. @throws Error for steps that wait for each other */
export function inOrder<T extends Step>(steps: readonly T[]): readonly T[] {
  const ordered: T[] = []
  const left = new Set(steps)
  while (left.size > 0) {
    const ready = [...left].filter((step) => predecessors(step, steps).every((id) => ordered.some((done) => done.id === id)))
    if (ready.length === 0) throw new Error(`steps wait for each other: ${[...left].map(({ id }) => id).join(', ')}`)
    for (const step of ready) {
      ordered.push(step)
      left.delete(step)
    }
  }
  return ordered
}

async function told(step: RunnableStep, tell: (event: UpEvent) => void, signal: AbortSignal): Promise<string> {
  const began = performance.now()
  const { id, name } = step
  const passedMs = () => Math.round(performance.now() - began)
  tell({ kind: 'step', id, name, state: 'started' })
  try {
    const detail = await step.run(signal)
    tell({ kind: 'step', id, name, state: 'done', detail, ms: passedMs() })
    return detail
  } catch (error) {
    tell({ kind: 'step', id, name, state: 'failed', ms: passedMs() })
    throw error
  }
}
