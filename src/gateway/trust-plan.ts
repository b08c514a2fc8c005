import { shellWord } from '../base/shell-word.ts'
import { X509Certificate } from 'node:crypto'

/** A store of this machine in which programs look up the authorities that they trust. */
export type TrustStore =
  /** A folder of the system. `refresh` gathers its certificates: `/usr/local/share/ca-certificates`. */
  | { readonly kind: 'anchors'; readonly directory: string; readonly refresh: readonly string[] }
  /** The user's own keychain on macOS. */
  | { readonly kind: 'keychain'; readonly path: string }
  /** A database of NSS, of Chromium and Chrome or of a profile of Firefox. */
  | { readonly kind: 'nss'; readonly directory: string; readonly owner: string }

export interface TrustedCertificate {
  readonly path: string
  /** 8 hex digits of the certificate's fingerprint. They tell this authority from those of other users of the machine. */
  readonly id: string
}

export type TrustAction =
  | { readonly kind: 'copy'; readonly from: string; readonly to: string }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'run'; readonly command: readonly string[]; readonly mayFail?: boolean }

export interface TrustStep {
  /** The name of a store for people: `/usr/local/share/ca-certificates (system)`. */
  readonly where: string
  readonly actions: readonly TrustAction[]
}

/** @param pem of one certificate */
export function certificateId(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').slice(0, 8).toLowerCase()
}

export function anchorOf(directory: string, id: string): string {
  return `${directory}/devcloud-${id}.crt`
}

export function nssName(id: string): string {
  return `devcloud ${id}`
}

/** The steps that put `certificate` into each store, or that remove it. Pure. */
export function planTrust(stores: readonly TrustStore[], certificate: TrustedCertificate, way: 'install' | 'remove'): TrustStep[] {
  return stores.map((store) => {
    const { where, install, remove } = toStep(store, certificate)
    return { where, actions: way === 'install' ? install : remove }
  })
}

function toStep(store: TrustStore, { path, id }: TrustedCertificate) {
  switch (store.kind) {
    case 'anchors': {
      const to = anchorOf(store.directory, id)
      const refresh: TrustAction = { kind: 'run', command: store.refresh }
      const install: TrustAction[] = [{ kind: 'copy', from: path, to }, refresh]
      return { where: `${to} (system)`, install, remove: [{ kind: 'delete', path: to }, refresh] as TrustAction[] }
    }
    case 'keychain': {
      const install: TrustAction[] = [run('security', 'add-trusted-cert', '-r', 'trustRoot', '-k', store.path, path)]
      const remove: TrustAction[] = [run('security', 'remove-trusted-cert', path)]
      return { where: `${store.path} (keychain)`, install, remove }
    }
    case 'nss': {
      const name = nssName(id)
      const database = `sql:${store.directory}`
      // C: trusted as an authority of servers, and of nothing else
      const install: TrustAction[] = [run('certutil', '-A', '-d', database, '-t', 'C,,', '-n', name, '-i', path)]
      const remove: TrustAction[] = [{ kind: 'run', command: ['certutil', '-D', '-d', database, '-n', name], mayFail: true }]
      return { where: `${store.directory} (${store.owner})`, install, remove }
    }
  }
}

function run(...command: string[]): TrustAction {
  return { kind: 'run', command }
}

/** The step as a shell command, for a user who must ask somebody with more rights. */
export function toShell(action: TrustAction): string {
  const words =
    action.kind === 'copy'
      ? ['install', '-m', '644', action.from, action.to]
      : action.kind === 'delete'
        ? ['rm', '-f', action.path]
        : action.command
  return words.map(shellWord).join(' ')
}
