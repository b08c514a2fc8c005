import { createHash } from 'node:crypto'

const regionCodes: Readonly<Record<string, string>> = {
  'us-central1': 'uc', 'us-east1': 'ue', 'us-east4': 'uk', 'us-west1': 'uw', 'europe-west1': 'ew', 'europe-west2': 'nw', 'europe-west3': 'ey',
  'europe-west4': 'ez', 'europe-north1': 'lz', 'asia-east1': 'de', 'asia-northeast1': 'an', 'asia-southeast1': 'as', 'australia-southeast1': 'ts',
} // prettier-ignore

export interface ServiceHosts {
  /** `SERVICE-HASH-RR.a.run.app`: what `uri` shows. */
  readonly hashed: string
  /** `SERVICE-PROJECTNUMBER.REGION.run.app`; undefined when the label is longer than 63 characters (run trap 28). */
  readonly deterministic: string | undefined
  /** What the browser of this machine opens: `SERVICE.localhost`, and the same with the project, which never clashes. */
  readonly local: string
  readonly localWithProject: string
}

/** Every host that a service answers on. `project.number` is the 12-digit project number. */
export function hostsOf(project: { readonly id: string; readonly number: string }, region: string, service: string): ServiceHosts {
  const hash = BigInt(`0x${createHash('sha256').update(project.id).digest('hex')}`)
    .toString(36)
    .slice(0, 10)
  const label = `${service}-${project.number}`
  return {
    hashed: `${service}-${hash}-${regionCodes[region] ?? region.replaceAll(/[^a-z]/g, '').slice(0, 2)}.a.run.app`,
    deterministic: label.length <= 63 ? `${label}.${region}.run.app` : undefined,
    local: `${service}.localhost`,
    localWithProject: `${service}.${project.id}.localhost`,
  }
}

/** The same hosts behind a tag: `TAG---HOST`. */
export function taggedHosts(tag: string, hosts: readonly string[]): string[] {
  return hosts.map((host) => `${tag}---${host}`)
}
