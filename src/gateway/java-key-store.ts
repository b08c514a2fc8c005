import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeWhole } from '../base/write-whole.ts'

const password = 'notasecret'
/** The file in the folder of `writeJavaRoots` that `javax.net.ssl.trustStore` names. */
export const javaRootsFile = 'roots.jks'
/** The path on the class path of the only roots that `newTrustedTransport()` of google-api-client trusts. */
const libraryFiles = ['com/google/api/client/googleapis/google.p12', 'com/google/api/client/googleapis/google.jks']

/** Writes the certificates of `pem` into `directory`, in the files in which JVMs and Google's Java libraries look for roots. */
export function writeJavaRoots(directory: string, pem: string, madeMs: number): void {
  const store = toJavaKeyStore(pem, madeMs)
  for (const file of [javaRootsFile, ...libraryFiles]) {
    const path = join(directory, file)
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeWhole(path, store, 0o644)
  }
}

/**
 * Converts the certificates of a PEM file to a Java key store of trusted certificates, in the format JKS, version 2. Every JDK from 8 on reads this
 * format without a password, also where the JDK expects PKCS#12. The store has the password of the store that google-api-client contains.
 *
 * ```
 * FEEDFEED 00000002 COUNT, then for each: 00000002 ALIAS TIME(8) "X.509" LENGTH(4) DER, then SHA-1(password in UTF-16BE, "Mighty Aphrodite", all before)
 * ```
 * @param madeMs the entries' creation time
 */
function toJavaKeyStore(pem: string, madeMs: number): Buffer {
  const certificates = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)]
  const entries = certificates.map(([, base64 = ''], index) => {
    const der = Buffer.from(base64, 'base64')
    return [number(2), text(`root-${index}`), time(madeMs), text('X.509'), number(der.length), der]
  })
  const store = Buffer.concat([number(0xfeed_feed), number(2), number(entries.length), ...entries.flat()])
  const digest = createHash('sha1').update(Buffer.from(password, 'utf16le').swap16()).update('Mighty Aphrodite').update(store).digest()
  return Buffer.concat([store, digest])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function time(ms: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(ms))
  return bytes
}

/** Text as Java's writeUTF writes it: two bytes of length, then the text. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
