import { CloudError } from '../../../base/cloud-error.ts'

/**
 * Runs `work` until it ends or Ctrl-C ends the waiting; what was begun goes on in the daemon. @throws CloudError INTERRUPTED: exit code 130
 */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onInterrupt = () =>
    reject(
      new CloudError('CANCELLED', 'Interrupted; what was begun goes on.', 'devcloud run services list shows what became of it.', {
        fault: 'INTERRUPTED',
      }),
    )
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
  try {
    return await Promise.race([work(), promise])
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
  }
}
