import 'reflect-metadata' // @peculiar/x509 wants it loaded first
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } from '@peculiar/x509'
import { createHash } from 'node:crypto'

/** An RSA key of 2048 bits with the certificate by which Google publishes such a key, as text for a file or a row. */
export interface SigningKey {
  /** The key's id, 40 hex digits. A JWT carries this id as `kid`. */
  readonly id: string
  /** PKCS #8, PEM. */
  readonly privateKey: string
  /** Self-signed, PEM: clients in Python and Node read public keys from certificates. */
  readonly certificate: string
}

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 }

/** Makes a key off the main thread. @param commonName the owner of the key: an account's email */
export async function makeSigningKey(commonName: string, span: { readonly notBefore: Date; readonly notAfter: Date }): Promise<SigningKey> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    ...span,
    extensions: [new BasicConstraintsExtension(false, undefined, true), new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)],
  })
  const publicKey = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
  return {
    id: createHash('sha1').update(publicKey).digest('hex'),
    privateKey: toPem('PRIVATE KEY', Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))),
    certificate: `${certificate.toString('pem').trim()}\n`,
  }
}

function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trim()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
