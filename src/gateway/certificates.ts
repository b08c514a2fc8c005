import 'reflect-metadata' // @peculiar/x509 wants it loaded first
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { nameConstraints } from './name-constraints.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface Authority {
  readonly certificate: X509Certificate
  readonly key: CryptoKey
}

export type KeyPair = Awaited<ReturnType<typeof makeKeyPair>>

export async function makeKeyPair() {
  return await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

/** Makes a self-signed authority that may vouch for devcloud's names alone. `comment` tells people which machine made the authority. */
export async function makeAuthority(comment: string, span: { readonly notBefore: Date; readonly notAfter: Date }): Promise<Authority> {
  const keys = await makeKeyPair()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['devcloud'] }, { CN: [`devcloud on ${comment}`] }],
    keys,
    signingAlgorithm: algorithm,
    serialNumber: randomSerial(),
    ...span,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      nameConstraints(),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, key: keys.privateKey }
}

/**
 * Makes a server certificate for `names`: DNS names and addresses. `isPermitted` says whether clients believe a certificate for a name.
 * @returns PEM with its line end
 */
export async function issueLeaf(
  authority: Authority,
  keys: KeyPair,
  names: readonly string[],
  span: { readonly notBefore: Date; readonly notAfter: Date },
): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: ['devcloud gateway'] }], // OpenSSL would check one that looks like a host name against the constraints on names
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    serialNumber: randomSerial(),
    ...span,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }))),
      await AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem').trim()}\n`
}

export async function keyToPem(key: CryptoKey): Promise<string> {
  const bytes = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}

/** @param pem the key and the certificate @throws Error when the key or the certificate is damaged */
export async function readAuthority(pem: string): Promise<Authority> {
  const [keyBase64, certificateBase64] = pem.split(/-----[A-Z ]+-----/).filter((part) => part.trim() !== '')
  const key = await crypto.subtle.importKey('pkcs8', Buffer.from(keyBase64 ?? '', 'base64'), algorithm, true, ['sign'])
  return { certificate: new X509Certificate(Uint8Array.from(Buffer.from(certificateBase64 ?? '', 'base64'))), key }
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^[\d.]+$/.test(name)
}

/** 127 random bits, positive: RFC 5280 allows twenty octets. */
function randomSerial(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
