import { setTimeout as sleep } from 'node:timers/promises'
import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Container } from '../../../engine/engine.ts'
import { instanceOf, type InstanceContainers } from '../instances/instance.ts'
import type { RunNeeds } from '../needs.ts'
import { startInstance, toInstance, type Instance } from '../instances/start-instance.ts'
import { countFailure, decidePool, restartDelayMs, type ObservedInstance } from './decide.ts'
import { readPoolName } from './names.ts'
import { poolTemplateOf } from './pool-revisions.ts'

/** An instance that lived so long has come up. */
const settleMs = 1000
/** SIGTERM, then this long, then SIGKILL. */
const graceMs = 10_000
/** How often an instance whose output is over is asked whether it has ended. */
const lookMs = 100

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
  const { project, pool } = readPoolName(name)
  const instances = new Map<string, Writable<ObservedInstance> & { readonly over: Promise<void>; instance?: Instance }>()
  const failures = new Map<string, number>()
  const backOff = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    if (closing.aborted) return
    clearTimeout(timer)
    const nowMs = needs.clock.nowMs()
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
          labels: { workerPool: pool, workerPoolName: name, revision: id },
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
    entry: Writable<ObservedInstance> & { instance?: Instance },
    begin: () => Promise<Instance>,
    sinceMs: number | undefined,
  ): Promise<void> => {
    const instance = await begin()
    entry.instance = instance
    const isDoomed = entry.state === 'stopping'
    const startedMs = needs.clock.nowMs()
    if (isDoomed) return instance.stop()
    entry.state = 'settling'
    const settled = setTimeout(() => {
      if (entry.state !== 'settling') return
      entry.state = 'running'
      work.onSettled(entry.revision)
      look()
    }, settleMs)
    try {
      const ends = instance.containers.map(async (container) => {
        await keepLines(entry, container, sinceMs)
        return exitOf(container)
      })
      const exitCode = await Promise.race(ends)
      if ((entry.state as ObservedInstance['state']) !== 'stopping') {
        const evidence = needs.containerLog.tail({ project, owner: pool, run: entry.revision }, 20).map(({ text }) => text)
        const words = `The container of worker pool '${pool}' exited with code ${exitCode}.`
        ended(
          entry.revision,
          needs.clock.nowMs() - startedMs,
          new CloudError('FAILED_PRECONDITION', words, `devcloud logs ${pool}`, { fault: 'APP_CRASHED', evidence }),
        )
      }
      entry.state = 'stopping'
      await Promise.all(instance.containers.map((container) => container.stop(graceMs, AbortSignal.timeout(60_000))))
      await Promise.all(ends) // the last lines of those that one took along
    } finally {
      clearTimeout(settled)
    }
    await instance.stop()
  }

  const keepLines = async ({ name: instance, revision }: ObservedInstance, container: Container, sinceMs: number | undefined) => {
    const line = { project, resource: 'cloud_run_worker_pool', owner: pool, run: revision, instance } as const
    const options = { follow: true, ...(sinceMs !== undefined && { sinceMs }) }
    for await (const { timeMs, stream, text } of container.logs(options, closing)) {
      needs.containerLog.add({ ...line, timeMs, stream, text })
    }
    closing.throwIfAborted()
  }

  const exitOf = async (container: Container): Promise<number> => {
    for (;;) {
      const status = await container.inspect(closing).catch(() => undefined)
      closing.throwIfAborted()
      if (status?.state === 'exited') return status.exitCode ?? 137
      await sleep(lookMs, undefined, { signal: closing })
    }
  }

  const ended = (revision: string, ranMs: number, failure: unknown) => {
    const count = countFailure(failures.get(revision) ?? 0, ranMs)
    failures.set(revision, count)
    backOff.set(revision, needs.clock.nowMs() + restartDelayMs(count))
    if (ranMs < settleMs) work.onSettled(revision, failure)
  }

  const stop = (id: string) => {
    const entry = instances.get(id)
    if (entry === undefined || entry.state === 'stopping') return
    entry.state = 'stopping'
    // Its containers alone: `live` reads their last lines, and removes them.
    for (const container of entry.instance?.containers ?? []) {
      container
        .stop(graceMs, AbortSignal.timeout(60_000))
        .catch((error: unknown) => needs.log.warn({ err: error, container: container.name }, 'stop failed'))
    }
  }

  return {
    look,
    adopt(containers) {
      const instance = instanceOf(containers[0])
      if (instances.has(instance)) return
      const revision = containers[0].labels['revision'] ?? ''
      const kept = needs.containerLog.tail({ project, owner: pool, run: revision }, 10_000)
      const sinceMs = (kept.findLast((line) => line.instance === instance)?.timeMs ?? -1) + 1
      follow(instance, revision, () => Promise.resolve(toInstance(containers)), sinceMs)
    },
    instances: () => [...instances.values()],
    stopped: async () => void (await Promise.all([...instances.values()].map(({ over }) => over))),
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
