import type { IncomingMessage } from 'node:http'

/** What a host name stands for at the gateway. */
export type HostKind =
  /** Google's name for a product that answers here. */
  | 'api'
  /** A name of this machine for one product: `us-central1-run.localhost`, `storage.localhost`, `BUCKET.storage.localhost`. */
  | 'endpoint'
  /** The metadata server. */
  | 'metadata'
  /** A service's own URL. */
  | 'router'
  /** A name of Google's for which no product answers: refused by name, never dialled (S12). */
  | 'unemulated'
  /** This machine. */
  | 'local'
  /** A host of somebody else. */
  | 'foreign'

const metadataHosts = new Set(['metadata.google.internal', 'metadata', '169.254.169.254'])
const googleNames = ['googleapis.com', 'google.internal', 'accounts.google.com', 'storage.cloud.google.com']

/** @param isKnown whether a product answers for a host, by its exact name or by a pattern of the product */
export function kindOfHost(host: string, isKnown: (host: string) => boolean): HostKind {
  if (isMetadataHost(host)) return 'metadata'
  if (isKnown(host)) return host.endsWith('.localhost') ? 'endpoint' : 'api'
  if (host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)) return 'local'
  if (host.endsWith('.run.app') || host.endsWith('.localhost')) return 'router'
  if (googleNames.some((name) => host === name || host.endsWith(`.${name}`))) return 'unemulated'
  return 'foreign'
}

export function isMetadataHost(host: string): boolean {
  return metadataHosts.has(host)
}

/** Whether a host answers with users' bytes alone and has no authority by default, so that pages may run there. */
export function isBytesHost(host: string): boolean {
  return host === 'storage.localhost' || host.endsWith('.storage.localhost')
}

/** The host of a request. Undefined unless the request has exactly one well-formed Host (S1). */
export function onlyHost({ headersDistinct }: IncomingMessage): string | undefined {
  const [authority, ...others] = headersDistinct['host'] ?? []
  return others.length === 0 ? readHost(authority)?.host : undefined
}

/** Host and port of a Host header, an :authority or a CONNECT target. Undefined for malformed text. Never throws (S4). */
export function readHost(authority: string | undefined): { readonly host: string; readonly port: number | undefined } | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/.exec((authority ?? '').toLowerCase())
  const host = found?.[1] ?? found?.[2]
  if (host === undefined) return undefined
  const port = found?.[3] === undefined ? undefined : Number(found[3])
  return port !== undefined && port > 65_535 ? undefined : { host: host.replace(/\.$/, ''), port }
}
