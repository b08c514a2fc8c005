import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import tls, { type SecureContext } from 'node:tls'
import { systemClock, type Clock } from '../base/clock.ts'
import { CloudError } from '../base/cloud-error.ts'
import { writeWhole } from '../base/write-whole.ts'
import { issueLeaf, keyToPem, makeAuthority, makeKeyPair, readAuthority, type Authority } from './certificates.ts'
import { writeJavaRoots } from './java-key-store.ts'
import { isPermitted } from './name-constraints.ts'

/** The certificate authority of this machine. The key never leaves the state directory. Programs trust the certificate only where devcloud installs it. */
export interface CertificateAuthority {
  readonly certificatePem: string
  /** The file with the authority's certificate alone, for programs that add a certificate to the system's roots: NODE_EXTRA_CA_CERTS. */
  readonly certificatePath: string
  /** The file with the system's roots and the authority's certificate, for programs whose variable replaces the system's roots. */
  readonly bundlePath: string
  /** The folder with the same certificates for JVMs: `javaOptions` names the folder. */
  readonly javaRootsPath: string
  /**
   * The key and certificate with which a TLS server answers as `host`. A certificate is kept until two thirds of its life are over.
   * @throws CloudError INVALID_ARGUMENT for a name that this authority may not vouch for
   */
  secureContext(host: string): Promise<SecureContext>
}

const dayMs = 86_400_000
const authorityDays = 3650
const leafDays = 30
/** How long before now a certificate begins, so that it stays valid when the clock is set back by less. Apple's systems refuse a leaf of more than 825 days. */
const backdatedDays = { authority: 3650, leaf: 300 } as const
const cachedHosts = 1000
/** The file in which a Linux distribution or macOS keeps the roots. */
const rootFiles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem']

/**
 * Loads the authority of `directory`, or makes the authority there: authority.pem (0600), ca.pem, bundle.pem and java-roots. The authority is made
 * anew when two thirds of its life are over, also while the daemon runs.
 */
export async function openCertificateAuthority(directory: string, clock: Clock = systemClock): Promise<CertificateAuthority> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const certificatePath = join(directory, 'ca.pem')
  const bundlePath = join(directory, 'bundle.pem')
  const javaRootsPath = join(directory, 'java-roots')
  const load = async () => {
    const authority = await loadAuthority(directory, clock)
    const certificatePem = `${authority.certificate.toString('pem').trim()}\n`
    writeWhole(certificatePath, certificatePem, 0o644)
    const bundle = `${systemRoots().trim()}\n${certificatePem}`
    writeWhole(bundlePath, bundle, 0o644)
    writeJavaRoots(javaRootsPath, bundle, authority.certificate.notBefore.getTime())
    return { authority, certificatePem }
  }
  let loaded = await load()
  const keys = await makeKeyPair()
  const key = await keyToPem(keys.privateKey)
  const issued = new Map<string, { readonly context: Promise<SecureContext>; readonly fromMs: number; readonly renewAtMs: number }>()

  const issue = async (host: string, span: Span): Promise<SecureContext> => {
    if (!isCurrent(loaded.authority, clock.nowMs())) loaded = await load()
    const names = host === 'localhost' ? ['localhost', '*.localhost', '127.0.0.1', '::1'] : [host]
    const leaf = await issueLeaf(loaded.authority, keys, names, span)
    return tls.createSecureContext({ key, cert: leaf + loaded.certificatePem, minVersion: 'TLSv1.2' })
  }
  return {
    get certificatePem() {
      return loaded.certificatePem
    },
    certificatePath,
    bundlePath,
    javaRootsPath,
    async secureContext(told) {
      const host = told.toLowerCase().replace(/\.$/, '')
      if (!isPermitted(host)) {
        throw new CloudError(
          'INVALID_ARGUMENT',
          `The local authority may not vouch for "${host}".`,
          'Call the host from a shell without devcloud env.',
        )
      }
      const nowMs = clock.nowMs()
      const known = issued.get(host)
      // A clock that was set to before the certificate begins needs another certificate, as a clock past the certificate's end does.
      if (known !== undefined && nowMs >= known.fromMs && nowMs < known.renewAtMs) return await known.context
      const span = spanOf(nowMs, backdatedDays.leaf, leafDays)
      const context = issue(host, span)
      issued.delete(host)
      issued.set(host, { context, fromMs: span.notBefore.getTime(), renewAtMs: nowMs + (leafDays * dayMs * 2) / 3 })
      const oldest = issued.keys().next().value
      if (issued.size > cachedHosts && oldest !== undefined) issued.delete(oldest)
      return await context
    },
  }
}

/** Key and certificate are in one file, so that the two always belong together. */
async function loadAuthority(directory: string, clock: Clock): Promise<Authority> {
  const path = join(directory, 'authority.pem')
  const known = existsSync(path) ? await readAuthority(readFileSync(path, 'utf8')).catch(() => undefined) : undefined
  if (known !== undefined && isCurrent(known, clock.nowMs())) return known
  const made = await makeAuthority(hostname(), spanOf(clock.nowMs(), backdatedDays.authority, authorityDays))
  writeWhole(path, `${await keyToPem(made.key)}${made.certificate.toString('pem').trim()}\n`, 0o600)
  return made
}

/** Whether the certificate has begun and a third of its life is left. */
function isCurrent({ certificate }: Authority, nowMs: number): boolean {
  return nowMs >= certificate.notBefore.getTime() && nowMs < certificate.notAfter.getTime() - (authorityDays * dayMs) / 3
}

interface Span {
  readonly notBefore: Date
  readonly notAfter: Date
}

function spanOf(nowMs: number, daysBack: number, days: number): Span {
  return { notBefore: new Date(nowMs - daysBack * dayMs), notAfter: new Date(nowMs + days * dayMs) }
}

function systemRoots(): string {
  const file = rootFiles.find((path) => existsSync(path))
  if (file !== undefined) return readFileSync(file, 'utf8')
  const own = tls.getCACertificates('system')
  return (own.length > 0 ? own : tls.getCACertificates('bundled')).join('\n')
}
