import { Extension } from '@peculiar/x509'

/** DNS names that the authority may vouch for, each with all names below it. A stolen key forges no other name (S13). */
const permittedNames = [
  'googleapis.com',
  'accounts.google.com',
  'storage.cloud.google.com',
  'google.internal',
  'run.app',
  'localhost',
] as const

/** 127.0.0.0/8 and ::1/128, each as address and mask. */
const permittedAddresses = [Buffer.from('7f000000ff000000', 'hex'), Buffer.from(`${'00'.repeat(15)}01${'ff'.repeat(16)}`, 'hex')]

/** Whether clients trust a certificate of this authority for `host`. */
export function isPermitted(host: string): boolean {
  return permittedNames.some((name) => host === name || host.endsWith(`.${name}`)) || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1'
}

/** The extension of RFC 5280, 4.2.1.10. It is critical: a client that does not know the extension must refuse the whole chain. */
export function nameConstraints(): Extension {
  const names = permittedNames.map((name) => der(0x30, der(0x82, Buffer.from(name, 'latin1'))))
  const addresses = permittedAddresses.map((bytes) => der(0x30, der(0x87, bytes)))
  return new Extension('2.5.29.30', true, Uint8Array.from(der(0x30, der(0xa0, Buffer.concat([...names, ...addresses])))))
}

/** One DER value: tag, length, value. The value is shorter than 64 KiB. */
function der(tag: number, value: Uint8Array): Buffer {
  const { length } = value
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}
