import type { Command } from 'commander'
import type { FsckReport } from '../../daemon/fsck/fsck.ts'
import { stateDirectory } from '../../base/paths.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { openOutput } from '../output.ts'

export function addFsck(program: Command): void {
  program
    .command('fsck')
    .description('check the state on disk, without a daemon: the database, its rows, the bytes of objects')
    .option('--repair', 'repair the state; what is taken out is kept in lost/')
    .option('--json', 'print JSON')
    .action(async (options: { readonly repair?: true; readonly json?: true }) => {
      const report = await check(options.repair === true)
      openOutput(options).result(report, () => toText(report))
      if (report.faults.length > 0 && !report.isRepaired) process.exitCode = 1
    })
}

async function check(repair: boolean): Promise<FsckReport> {
  const { fsck } = await import('../../daemon/fsck/fsck.ts') // loads the rows of every product
  try {
    return await fsck(stateDirectory(), repair)
  } catch (error) {
    if (!(error instanceof CloudError) || error.fault !== 'STATE_LOCKED') throw error
    const { code, message, fault, evidence } = error
    throw new CloudError(code, message, 'devcloud daemon stop, then devcloud fsck', { cause: error, fault, evidence })
  }
}

function toText({ directory, faults, backups, isRepaired, lost }: FsckReport): string {
  const [newest] = backups
  const copies =
    newest === undefined
      ? 'no backups'
      : `${backups.length} backups, the newest of ${new Date(newest.takenMs).toISOString()}: ${newest.path}`
  const lines = faults.flatMap(({ kind, what, why, repair }) => [`✗ ${kind.padEnd(8)} ${what}: ${why}`, `  → ${repair}`])
  const end =
    faults.length === 0
      ? `✔ ${directory} is in order`
      : isRepaired
        ? `✔ mended${lost === undefined ? '' : `; what was taken out is in ${lost}`}`
        : '→ devcloud fsck --repair'
  return [...lines, `  ${copies}`, end].join('\n')
}
