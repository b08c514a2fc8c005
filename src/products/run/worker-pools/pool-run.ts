import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { ContainerStatus } from '../../../engine/engine.ts'
import { ownerOf } from '../instances/container-labels.ts'
import { followToEnd, keepIn, type Following } from '../instances/follow-to-end.ts'
import { instanceOf, type InstanceContainers } from '../instances/instance.ts'
import { poolKind, readName } from '../names.ts'
import type { RunNeeds } from '../needs.ts'
import { startInstance, toInstance, type Instance } from '../instances/start-instance.ts'
import { countFailure, decidePool, restartDelayMs, type ObservedInstance } from './decide.ts'
import { poolTemplateOf } from './pool-revisions.ts'

/** An instance that lived so long has come up. */
const settleMs = 1000

export interface PoolWork {
  readonly needs: RunNeeds
  /** Instances of each revision's id that there should be now; empty when its project is down. */
  readonly wanted: () => ReadonlyMap<string, number>
  readonly revision: (id: string) => Revision | undefined
  /** An instance of the revision settled, or did not come up. */
  readonly onSettled: (revision: string, failure?: unknown) => void
  /** Ends when the daemon does: containers go on. */
  readonly closing: AbortSignal
}

/** What runs for one worker pool. */
export interface PoolRun {
  /** Decides again: what is wanted may have changed. */
  look(): void
  /** Takes over an instance that an earlier daemon left. */
  adopt(containers: InstanceContainers): void
  /** Those that run, by revision's id. */
  instances(): readonly ObservedInstance[]
  /** Resolves when nothing runs any more: call `look` first, with nothing wanted. */
  stopped(): Promise<void>
}

/** Keeps the instances of the pool `name` as `decidePool` says; each end of one makes it look again. */
export function runPool(work: PoolWork, name: string): PoolRun {
  const { needs, closing } = work
  const { project, id: pool } = readName(poolKind, name)
  const instances = new Map<string, Writable<ObservedInstance> & { readonly over: Promise<void>; following?: Following }>()
  const failures = new Map<string, number>()
  const backOff = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    if (closing.aborted) return
    clearTimeout(timer)
    const nowMs = needs.clock.ticksMs() // not of the wall: a clock that is set back must not put a restart off
    const plan = decidePool(work.wanted(), [...instances.values()], backOff, nowMs)
    for (const id of plan.stop) stop(id)
    for (const { revision, count } of plan.start) for (let i = 0; i < count; i++) start(revision)
    if (plan.wakeMs !== undefined) timer = setTimeout(look, plan.wakeMs - nowMs + 1).unref()
  }

  const start = (id: string) => {
    const revision = work.revision(id)
    if (revision === undefined) return
    const instance = `${id.slice(0, 40)}-${crypto.randomUUID().slice(0, 8)}`
    follow(instance, id, () => {
      const { containers, volumes, serviceAccount } = poolTemplateOf(revision)
      return startInstance(
        needs,
        {
          name: instance,
          project: needs.project(project),
          template: { containers, volumes, serviceAccount },
          env: { CLOUD_RUN_WORKER_POOL: pool, CLOUD_RUN_WORKER_POOL_REVISION: id },
          owner: { kind: 'worker', pool, name, revision: id },
        },
        closing,
      )
    })
  }

  const follow = (instanceName: string, revision: string, begin: () => Promise<Instance>, sinceMs?: number) => {
    const over = Promise.withResolvers<void>()
    const entry = { name: instanceName, revision, state: 'starting' as ObservedInstance['state'], over: over.promise }
    instances.set(instanceName, entry)
    live(entry, begin, sinceMs)
      .catch((error: unknown) => {
        if (closing.aborted) return
        needs.log.warn({ err: error, instance: instanceName }, 'an instance of a worker pool could not be run')
        ended(revision, 0, error)
      })
      .finally(() => {
        if (closing.aborted) return
        instances.delete(instanceName)
        over.resolve()
        look()
      })
  }

  /** From its start to its end and removal. */
  const live = async (
    entry: Writable<ObservedInstance> & { following?: Following },
    begin: () => Promise<Instance>,
    sinceMs: number | undefined,
  ): Promise<void> => {
    const instance = await begin()
    const isDoomed = entry.state === 'stopping'
    const startedTicks = needs.clock.ticksMs()
    if (isDoomed) return instance.stop()
    entry.state = 'settling'
    const settled = setTimeout(() => {
      if (entry.state !== 'settling') return
      entry.state = 'running'
      work.onSettled(entry.revision)
      look()
    }, settleMs)
    const line = { project, resource: 'cloud_run_worker_pool', owner: pool, run: entry.revision, instance: entry.name } as const
    const onEnd = ({ exitCode = 137, isGone }: ContainerStatus) => {
      if ((entry.state as ObservedInstance['state']) !== 'stopping') {
        const evidence = needs.containerLog.tail({ project, owner: pool, run: entry.revision }, 20).map(({ text }) => text)
        const how = isGone === true ? 'was removed while it ran' : `exited with code ${exitCode}`
        const words = `The container of worker pool '${pool}' ${how}.`
        ended(
          entry.revision,
          needs.clock.ticksMs() - startedTicks,
          new CloudError('FAILED_PRECONDITION', words, `devcloud logs ${pool}`, { fault: 'APP_CRASHED', evidence }),
        )
      }
      entry.state = 'stopping'
    }
    const lines = keepIn(needs.containerLog, line, () => needs.clock.nowMs())
    const options = { until: 'any', ...lines, onEnd, ...(sinceMs !== undefined && { sinceMs }) } as const
    const following = followToEnd(needs.log, instance, options, closing)
    entry.following = following
    try {
      await following.ended
    } finally {
      clearTimeout(settled)
    }
    await instance.stop().catch((error: unknown) => needs.log.warn({ err: error, instance: entry.name }, 'remove failed'))
  }

  const ended = (revision: string, ranMs: number, failure: unknown) => {
    const count = countFailure(failures.get(revision) ?? 0, ranMs)
    failures.set(revision, count)
    backOff.set(revision, needs.clock.ticksMs() + restartDelayMs(count))
    if (ranMs < settleMs) work.onSettled(revision, failure)
  }

  const stop = (id: string) => {
    const entry = instances.get(id)
    if (entry === undefined || entry.state === 'stopping') return
    entry.state = 'stopping'
    entry.following?.stop() // `live` reads the last lines of its containers, and removes them
  }

  return {
    look,
    adopt(containers) {
      const instance = instanceOf(containers[0])
      if (instances.has(instance)) return
      const { revision = '' } = ownerOf(containers[0], 'worker') ?? {}
      const kept = needs.containerLog.tail({ project, owner: pool, run: revision }, 10_000)
      const sinceMs = (kept.findLast((line) => line.instance === instance)?.timeMs ?? -1) + 1
      follow(instance, revision, () => Promise.resolve(toInstance(containers)), sinceMs)
    },
    instances: () => [...instances.values()],
    stopped: async () => void (await Promise.all([...instances.values()].map(({ over }) => over))),
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
