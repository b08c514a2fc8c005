/** Where a task stands. `waiting` is before its next attempt; `starting` and `running` are its attempt of now. */
export type TaskState = 'waiting' | 'starting' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** Why an attempt was stopped before its end. */
export type StopReason = 'timeout' | 'cancel'

export interface WantedExecution {
  /** At most so many tasks at a time; 0 is as many as the machine can take. */
  readonly parallelism: number
  /** Attempts beyond the first, of each task. */
  readonly maxRetries: number
  /** Of one attempt. */
  readonly timeoutMs: number
  readonly isCancelled: boolean
}

export interface ObservedTask {
  readonly index: number
  /** 0 is the first. */
  readonly attempt: number
  readonly state: TaskState
  /** When its attempt began to run, on the clock that `decideExecution` is told. */
  readonly startedMs: number
  /** It was told to stop already. */
  readonly isStopping: boolean
}

export interface ExecutionPlan {
  /** In the order to start them; the machine may take fewer now. */
  readonly start: readonly { readonly index: number; readonly attempt: number }[]
  readonly stop: readonly { readonly index: number; readonly reason: StopReason }[]
  /** Tasks that will not run any more. */
  readonly cancel: readonly number[]
  /** How the execution is over, when it is. */
  readonly finish: 'succeeded' | 'failed' | 'cancelled' | undefined
  /** When to look again though nothing happens: the next timeout. */
  readonly wakeMs: number | undefined
}

/**
 * What to do now for an execution. Pure. Every task gets its first attempt before any is tried again, and all are tried before the
 * execution fails (run trap 4); the timeout is of each attempt (run trap 6).
 */
export function decideExecution(wanted: WantedExecution, tasks: readonly ObservedTask[], nowMs: number): ExecutionPlan {
  const active = tasks.filter(({ state }) => state === 'starting' || state === 'running')
  const waiting = tasks.filter(({ state }) => state === 'waiting')
  const running = active.filter(({ state, isStopping }) => state === 'running' && !isStopping)
  if (wanted.isCancelled) {
    const stop = active.filter(({ isStopping }) => !isStopping).map(({ index }) => ({ index, reason: 'cancel' as const }))
    const finish = active.length === 0 ? 'cancelled' : undefined
    return { start: [], stop, cancel: waiting.map(({ index }) => index), finish, wakeMs: undefined }
  }
  const late = running.filter(({ startedMs }) => nowMs >= startedMs + wanted.timeoutMs)
  const deadlines = running.filter((task) => !late.includes(task)).map(({ startedMs }) => startedMs + wanted.timeoutMs)
  const free = wanted.parallelism === 0 ? waiting.length : Math.max(0, wanted.parallelism - active.length)
  const next = waiting.toSorted((a, b) => a.attempt - b.attempt || a.index - b.index).slice(0, free)
  const isOver = active.length === 0 && waiting.length === 0
  const failed = tasks.some(({ state }) => state !== 'succeeded')
  return {
    start: next.map(({ index, attempt }) => ({ index, attempt })),
    stop: late.map(({ index }) => ({ index, reason: 'timeout' })),
    cancel: [],
    finish: isOver ? (failed ? 'failed' : 'succeeded') : undefined,
    wakeMs: deadlines.length === 0 ? undefined : deadlines.reduce((a, b) => Math.min(a, b)),
  }
}
