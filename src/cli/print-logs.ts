import type { LogEvent } from '../daemon/control-protocol.ts'
import type { ControlClient } from './control-client.ts'
import type { Output } from './output.ts'

/** Prints the answer of GET /logs to `query`, until the answer ends, Ctrl-C is pressed, or stdout is closed. */
export async function printLogs(client: ControlClient, query: URLSearchParams, output: Output): Promise<void> {
  const over = new AbortController()
  process.once('SIGINT', () => over.abort())
  process.stdout.once('error', () => over.abort()) // `| head`
  await client
    .stream<LogEvent>(`/logs?${query}`, undefined, (event) => output.log(event), over.signal)
    .catch((error: unknown) => {
      if (!over.signal.aborted) throw error
    })
}
