import { CloudError, messageOf, type Code } from '../../base/cloud-error.ts'

/** The longest time for a short answer, in ms: an engine that hangs must not hang the daemon. */
const defaultPatienceMs = 60_000

/**
 * Waits for Docker's answer, until `signal` ends or the engine has hung.
 * @param patienceMs the longest time for the answer; Infinity when `signal` alone decides
 * @throws CloudError whose code follows the HTTP status; `statusOf` gives the status. DOCKER_UNREACHABLE without an answer
 */
export async function ask<T>(answer: Promise<T>, signal: AbortSignal, patienceMs = defaultPatienceMs): Promise<T> {
  answer.catch(() => {}) // nobody may be listening any more when it fails
  signal.throwIfAborted()
  const { promise: over, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  const late = () => reject(unreachable(new Error(`no answer within ${patienceMs / 1000} s`)))
  const timer = patienceMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, patienceMs)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([answer, over])
  } catch (error) {
    throw error === signal.reason ? error : toCloudError(error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** The HTTP status of Docker's answer. Undefined for an error of another kind. */
export function statusOf(error: unknown): number | undefined {
  const from = error instanceof CloudError ? error.cause : error
  return typeof from === 'object' && from !== null && 'statusCode' in from && typeof from.statusCode === 'number'
    ? from.statusCode
    : undefined
}

/** `answer`, or undefined when Docker answers 404. */
export async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof CloudError && error.fault === 'DOCKER_UNREACHABLE'
}

/** Docker's own message: `(HTTP code 409) unexpected - conflict: ...` without the text that dockerode adds in front. */
export function wordsOf(error: unknown): string {
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) [^-]* - /, '')
    .trim()
}

const codesOfStatus: Readonly<Record<number, Code>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'FAILED_PRECONDITION',
}

function toCloudError(error: unknown): unknown {
  if (error instanceof CloudError) return error
  const status = statusOf(error)
  if (status === undefined) return isOfTheWire(error) ? unreachable(error) : error
  return new CloudError(codesOfStatus[status] ?? 'INTERNAL', `Docker: ${wordsOf(error)}`, 'docker info', { cause: error })
}

/** Whether an error is of the socket to Docker, not of a file: `{ syscall: 'connect', code: 'ENOENT' }`, or a connection that was cut. */
export function isOfTheWire(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false
  return ('syscall' in error && error.syscall === 'connect') || cuts.has(error.code)
}

const cuts = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'])

function unreachable(cause: unknown): CloudError {
  return new CloudError('UNAVAILABLE', 'Docker does not answer any more.', 'Start Docker; what ran under it is taken over again.', {
    cause,
    fault: 'DOCKER_UNREACHABLE',
    evidence: [messageOf(cause)],
  })
}
