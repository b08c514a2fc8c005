import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { findTrustStores } from './find-trust-stores.ts'
import { anchorOf, nssName, type TrustStore } from './trust-plan.ts'

/** Which programs of this machine trust the certificate with this id, for people: `the system`, `Chromium, Chrome`. */
export async function findBelievers(id: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { stores } = findTrustStores(['system', 'nss'], env)
  return (await Promise.all(stores.map((store) => believer(store, id)))).flatMap((name) => name ?? [])
}

async function believer(store: TrustStore, id: string): Promise<string | undefined> {
  switch (store.kind) {
    case 'anchors':
      return existsSync(anchorOf(store.directory, id)) ? 'the system' : undefined
    case 'nss':
      return (await succeeds('certutil', ['-L', '-d', `sql:${store.directory}`, '-n', nssName(id)])) ? store.owner : undefined
    case 'keychain':
      return (await succeeds('security', ['find-certificate', '-c', 'devcloud on', store.path])) ? 'the keychain' : undefined
  }
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return await promisify(execFile)(command, args, { timeout: 5000 }).then(
    () => true,
    () => false,
  )
}
