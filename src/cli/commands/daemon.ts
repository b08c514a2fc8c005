import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../../base/cloud-error.ts'
import type { StatusAnswer, VersionAnswer } from '../../daemon/control-protocol.ts'
import { identify } from '../../engine/process/proc.ts'
import { connectDaemon, findDaemon } from '../control-client.ts'
import { openOutput } from '../output.ts'
import { readHealth } from '../read-health.ts'

interface DaemonOptions {
  readonly json?: true
}

export function addDaemon(program: Command): void {
  const daemon = program.command('daemon').description('start, stop and look at the daemon: one process for each user, started on demand')
  daemon
    .command('start')
    .description('start the daemon if it does not run')
    .option('--json', 'print JSON')
    .action(async (options: DaemonOptions) => {
      const told = await (await connectDaemon()).get<VersionAnswer>('/version')
      openOutput(options).result(told, () => `devcloud ${told.version} runs as pid ${told.pid}.`)
    })
  daemon
    .command('stop')
    .description('stop the daemon; instances and databases go on, and the next daemon takes them over')
    .option('--json', 'print JSON')
    .action(async (options: DaemonOptions) => {
      const output = openOutput(options)
      const client = await findDaemon()
      if (client === undefined) return output.result({ stopped: false }, () => 'No daemon runs.')
      const { pid } = await client.get<VersionAnswer>('/version')
      await client.stream('/shutdown', {}, () => {}).catch(() => {}) // the socket may close before its last words
      await gone(pid)
      output.result({ stopped: true, pid }, () => `Stopped the daemon, pid ${pid}.`)
    })
  daemon
    .command('status')
    .description('print whether the daemon runs, its pid and its state directory')
    .option('--json', 'print JSON')
    .action(async (options: DaemonOptions) => {
      const output = openOutput(options)
      const told = await Promise.race([readStatus(), failWhileBusy()])
      output.result(told, () => `devcloud ${told.version} runs as pid ${told.pid} on ${told.stateDirectory}.`)
    })
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (identify(pid) === undefined) return
    await sleep(50)
  }
  throw new CloudError('DEADLINE_EXCEEDED', `The daemon, pid ${pid}, does not end.`, `kill -9 ${pid}; the next one adopts what runs`, {
    fault: 'DAEMON_FAILED',
  })
}

async function readStatus(): Promise<StatusAnswer['daemon']> {
  const client = await findDaemon()
  if (client !== undefined) return (await client.get<StatusAnswer>('/status')).daemon
  throw new CloudError('UNAVAILABLE', 'No daemon runs.', 'devcloud daemon start', { fault: 'DAEMON_ABSENT' })
}

/** Waits until the daemon has not answered for a second. @throws CloudError DAEMON_BUSY with the stack of the daemon */
async function failWhileBusy(): Promise<never> {
  for (;;) {
    await sleep(500, undefined, { ref: false })
    const health = await readHealth()
    if (health === undefined || health.blockedMs < 1000) continue
    const message = `The daemon, pid ${health.pid}, has been busy for ${health.blockedMs} ms and answers nobody meanwhile.`
    const next = `Wait, or: kill -9 ${health.pid}; the next one adopts what runs`
    throw new CloudError('UNAVAILABLE', message, next, { fault: 'DAEMON_BUSY', evidence: [...health.stack] })
  }
}
