/** The bucket and object that a path-style or virtual-hosted request names. */
export interface XmlTarget {
  /** Undefined at the root of the service. */
  readonly bucket: string | undefined
  /** As it came, percent-encoded; empty for the bucket itself. */
  readonly key: string
}

/** `b` of `b.storage.googleapis.com` and `b.storage.localhost`; undefined on a host without one (storage trap 27). */
export function bucketOfHost(host: string): string | undefined {
  return /^(.+)\.storage\.(?:googleapis\.com|localhost)$/.exec(host)?.[1]
}

/** Pure. @param path as it came */
export function readXmlTarget(host: string, path: string): XmlTarget {
  const own = bucketOfHost(host)
  if (own !== undefined) return { bucket: own, key: path.slice(1) }
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? []
  return { bucket: bucket === '' ? undefined : bucket, key }
}
