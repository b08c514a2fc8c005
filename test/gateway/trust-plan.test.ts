import { expect, test } from 'vitest'
import { planTrust, toShell, type TrustStore } from '../../src/gateway/trust-plan.ts'

const certificate = { path: '/home/ann/ca.pem', id: '1a2b3c4d' }

const plan = (store: TrustStore, way: 'install' | 'remove') =>
  planTrust([store], certificate, way).flatMap(({ where, actions }) => [where, ...actions.map(toShell)])

test('a folder of anchors gets a file of its own name, and its bundle is made anew', () => {
  const store: TrustStore = { kind: 'anchors', directory: '/etc/pki/ca-trust/source/anchors', refresh: ['update-ca-trust', 'extract'] }
  const file = '/etc/pki/ca-trust/source/anchors/devcloud-1a2b3c4d.crt'
  expect(plan(store, 'install')).toEqual([`${file} (system)`, `install -m 644 /home/ann/ca.pem ${file}`, 'update-ca-trust extract'])
  expect(plan(store, 'remove')).toEqual([`${file} (system)`, `rm -f ${file}`, 'update-ca-trust extract'])
})

test('a database of NSS gets an authority for servers alone', () => {
  const store: TrustStore = { kind: 'nss', directory: "/home/ann o'hara/.pki/nssdb", owner: 'Chromium, Chrome' }
  expect(plan(store, 'install')[1]).toBe(
    `certutil -A -d 'sql:/home/ann o'\\''hara/.pki/nssdb' -t C,, -n 'devcloud 1a2b3c4d' -i /home/ann/ca.pem`,
  )
  expect(plan(store, 'remove')[1]).toBe(`certutil -D -d 'sql:/home/ann o'\\''hara/.pki/nssdb' -n 'devcloud 1a2b3c4d'`)
})

test("macOS has the user's own keychain, which asks them itself", () => {
  const store: TrustStore = { kind: 'keychain', path: '/Users/ann/Library/Keychains/login.keychain-db' }
  expect(plan(store, 'install')[1]).toBe(`security add-trusted-cert -r trustRoot -k ${store.path} /home/ann/ca.pem`)
  expect(plan(store, 'remove')[1]).toBe('security remove-trusted-cert /home/ann/ca.pem')
})
