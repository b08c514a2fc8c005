import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TrustStore } from './trust-plan.ts'

/** Where each family of Linux keeps authorities that people add. The first folder that exists counts. */
const anchors: readonly { readonly directory: string; readonly refresh: readonly string[] }[] = [
  { directory: '/etc/pki/ca-trust/source/anchors', refresh: ['update-ca-trust', 'extract'] }, // Fedora, RHEL
  { directory: '/etc/ca-certificates/trust-source/anchors', refresh: ['update-ca-trust'] }, // Arch
  { directory: '/etc/pki/trust/anchors', refresh: ['update-ca-certificates'] }, // openSUSE
  { directory: '/usr/local/share/ca-certificates', refresh: ['update-ca-certificates'] }, // Debian, Ubuntu, Alpine
]

/** Databases of Chromium and Chrome, relative to the home folder. */
const chromium = ['.pki/nssdb', 'snap/chromium/current/.pki/nssdb', '.var/app/org.chromium.Chromium/.pki/nssdb']
/** Folders with profiles of Firefox, relative to the home folder. */
const firefox = ['.mozilla/firefox', 'snap/firefox/common/.mozilla/firefox', 'Library/Application Support/Firefox/Profiles']

export interface FoundStores {
  readonly stores: readonly TrustStore[]
  /** Stores that cannot be written, each with the package to install. */
  readonly lacking: readonly { readonly where: string; readonly next: string }[]
}

/** Finds the trust stores of this machine and of this user. Changes nothing. */
export function findTrustStores(kinds: readonly ('system' | 'nss')[], env: NodeJS.ProcessEnv, platform = process.platform): FoundStores {
  const home = env['HOME'] ?? '/'
  const stores: TrustStore[] = []
  const lacking: { where: string; next: string }[] = []
  if (kinds.includes('system') && platform === 'darwin')
    stores.push({ kind: 'keychain', path: join(home, 'Library/Keychains/login.keychain-db') })
  else if (kinds.includes('system')) {
    const found = anchors.find(({ directory }) => existsSync(directory))
    if (found === undefined) lacking.push({ where: 'the system', next: 'install ca-certificates' })
    else if (!hasCommand(found.refresh[0] ?? '', env)) lacking.push({ where: found.directory, next: 'install ca-certificates' })
    else stores.push({ kind: 'anchors', ...found })
  }
  const databases = kinds.includes('nss') ? nssDatabases(home) : []
  if (hasCommand('certutil', env)) stores.push(...databases)
  else
    for (const { directory } of databases)
      lacking.push({ where: directory, next: 'install libnss3-tools, nss-tools or nss: it has certutil' })
  return { stores, lacking }
}

function nssDatabases(home: string): (TrustStore & { readonly kind: 'nss' })[] {
  const profiles = firefox.flatMap((path) => {
    const folder = join(home, path)
    return existsSync(folder) ? readdirSync(folder).map((name) => ({ directory: join(folder, name), owner: 'Firefox' })) : []
  })
  const all = [...chromium.map((path) => ({ directory: join(home, path), owner: 'Chromium, Chrome' })), ...profiles]
  return all.filter(({ directory }) => existsSync(join(directory, 'cert9.db'))).map((found) => ({ kind: 'nss', ...found }))
}

/** Whether a command exists in PATH or in the system's folders: Debian keeps `update-ca-certificates` outside a plain user's PATH. */
function hasCommand(name: string, env: NodeJS.ProcessEnv): boolean {
  return searchPath(env)
    .split(delimiter)
    .some((folder) => existsSync(join(folder, name)))
}

export function searchPath(env: NodeJS.ProcessEnv): string {
  return [env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].filter((part) => part !== '').join(delimiter)
}
