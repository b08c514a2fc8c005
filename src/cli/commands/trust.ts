import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { stateDirectory } from '../../base/paths.ts'
import { applyTrust } from '../../gateway/apply-trust.ts'
import { findTrustStores } from '../../gateway/find-trust-stores.ts'
import { certificateId, planTrust, toShell, type TrustedCertificate } from '../../gateway/trust-plan.ts'
import { openOutput } from '../output.ts'

interface TrustOptions {
  readonly remove?: true
  readonly store?: 'system' | 'nss'
  readonly json?: true
}

/** The outcome for one store. */
interface TrustOutcome {
  readonly where: string
  readonly state: 'done' | 'failed' | 'lacking'
  readonly detail: string
  /** Shell commands to type, or the package to install. */
  readonly next: readonly string[]
}

export function addTrust(program: Command): void {
  program
    .command('trust')
    .description("make this machine's browsers and tools trust the certificates of https://SERVICE.localhost and of run.app (optional)")
    .option('--remove', 'remove the certificate authority from the stores')
    .addOption(new Option('--store <kind>', 'only the stores of the system, or of browsers (nss)').choices(['system', 'nss']))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\ndevcloud made the authority on this machine. It may vouch for googleapis.com, run.app, localhost and 127.0.0.0/8 alone.',
    )
    .action(async (options: TrustOptions) => {
      const certificate = await ownCertificate(options.remove !== true)
      if (certificate === undefined)
        return openOutput(options).result({ stores: [] }, () => 'There is no certificate here: nothing can believe it.')
      const { stores, lacking } = findTrustStores(options.store === undefined ? ['system', 'nss'] : [options.store], process.env)
      const way = options.remove === true ? 'remove' : 'install'
      const outcomes: TrustOutcome[] = planTrust(stores, certificate, way).map((step) => {
        const problem = applyTrust(step, process.env)
        if (problem === undefined)
          return { where: step.where, state: 'done', detail: way === 'install' ? 'believes it' : 'has it no more', next: [] }
        const next = step.actions.map((action) => (/EACCES|EPERM|EROFS/.test(problem) ? `sudo ${toShell(action)}` : toShell(action)))
        return { where: step.where, state: 'failed', detail: problem, next }
      })
      for (const { where, next } of lacking) outcomes.push({ where, state: 'lacking', detail: 'cannot be written', next: [next] })
      openOutput(options).result({ certificate: certificate.path, stores: outcomes }, () => textOf(certificate.path, outcomes, way))
      if (outcomes.some(({ state }) => state === 'failed')) process.exitCode = 1
    })
}

/** The certificate of this state directory's authority. Asks no daemon. @param make whether to make a missing authority */
async function ownCertificate(make: boolean): Promise<TrustedCertificate | undefined> {
  const directory = join(stateDirectory(), 'ca')
  const path = join(directory, 'ca.pem')
  if (!existsSync(path)) {
    if (!make) return undefined
    const { openCertificateAuthority } = await import('../../gateway/certificate-authority.ts') // slow to load, and seldom needed
    await openCertificateAuthority(directory)
  }
  return { path, id: certificateId(readFileSync(path, 'utf8')) }
}

function textOf(path: string, outcomes: readonly TrustOutcome[], way: 'install' | 'remove'): string {
  const marks = { done: '✔', failed: '✗', lacking: '⚠' } as const
  const lines = outcomes.flatMap(({ where, state, detail, next }) => [
    `${marks[state]} ${where}: ${detail}`,
    ...next.map((line) => `  → ${line}`),
  ])
  if (outcomes.length === 0) lines.push('No store of this kind is here: nothing was changed.')
  const undo =
    way === 'install'
      ? ['To undo: devcloud trust --remove', 'Programs with stores of their own (Node, Python, Java): eval "$(devcloud env)"']
      : []
  return [`The certificate is ${path}`, ...lines, ...undo].join('\n')
}
