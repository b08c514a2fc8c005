import { CloudError } from '../../../base/cloud-error.ts'
import { exitCodes } from '../../exit-codes.ts'
import { openOutput } from '../../output.ts'

/** Runs `work`. Ctrl-C ends the waiting, and this process with it (exit code 130); what was begun goes on in the daemon. */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  const onInterrupt = () => {
    openOutput({}).fail(
      new CloudError(
        'CANCELLED',
        'Interrupted; what was begun goes on.',
        'devcloud run services list, or jobs executions list, shows it.',
        {
          fault: 'INTERRUPTED',
        },
      ),
    )
    process.exit(exitCodes.interrupted) // requests and timers of `work` would keep it waiting
  }
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
  try {
    return await work()
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
  }
}
