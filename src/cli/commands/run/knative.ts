import { isRecord } from '../../../base/is-record.ts'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import type { Scope } from './scope.ts'

/** A resource of the v1 API, which is what gcloud shows and prints. */
export interface Knative extends ApiAnswer {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly creationTimestamp?: string
    readonly selfLink?: string
  }
  readonly status?: ApiAnswer & { readonly conditions?: readonly KnativeCondition[]; readonly url?: string }
}

export interface KnativeCondition {
  readonly type: string
  readonly status: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/** The base of a group's collections in one project. @param group `serving.knative.dev` or `run.googleapis.com` */
export function namespaceUrl({ project }: Scope, group: string, region?: string): string {
  return `https://${region === undefined ? '' : `${region}-`}run.googleapis.com/apis/${group}/v1/namespaces/${project}`
}

/** Every item of a v1 list, over its pages. */
export async function listKnative({ api }: Scope, url: string): Promise<readonly Knative[]> {
  const items: Knative[] = []
  for (let next = ''; ;) {
    const page = await api.call('GET', `${url}${url.includes('?') ? '&' : '?'}continue=${encodeURIComponent(next)}`)
    if (Array.isArray(page['items'])) items.push(...(page['items'] as Knative[]))
    const { metadata } = page
    next = isRecord(metadata) && typeof metadata['continue'] === 'string' ? metadata['continue'] : ''
    if (next === '') return items
  }
}

/** gcloud's glyphs: ready, failed, in progress. @param condition that tells: `Ready`, or `Completed` for executions */
export function symbolOf({ status }: Knative, condition = 'Ready'): string {
  const found = status?.conditions?.find(({ type }) => type === condition)?.status
  return found === 'True' ? '✔' : found === 'False' ? 'X' : '…'
}

/** What real Cloud Run takes to make the same resource: without status, and without what its server sets. */
export function toExport(resource: Knative): ApiAnswer {
  const { apiVersion, kind, metadata, spec } = resource
  const kept = (all: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => !setByServer.test(key)))
  const labels = kept(metadata.labels)
  const annotations = kept(metadata.annotations)
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: withoutServerKeys(spec),
  }
}

/** What the server writes. Source: docs/contract/cloud-run.md, variables; exports of real services. */
const setByServer =
  /^((serving\.knative\.dev|run\.googleapis\.com)\/(creator|lastModifier)|run\.googleapis\.com\/(ingress-status|operation-id|urls|client-name|client-version|satisfies-pzs)|cloud\.googleapis\.com\/location|client\.knative\.dev\/nonce|run\.googleapis\.com\/startupProbeType)$/

/** The template's revision name goes too: the next deployment of the file would ask for one that there is. */
function withoutServerKeys(value: unknown, path = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutServerKeys(item, `${path}[]`))
  if (!isRecord(value)) return value
  const entries = Object.entries(value).filter(
    ([key]) =>
      !(setByServer.test(key) && /metadata\.(labels|annotations)$/.test(path)) && !(key === 'name' && path === '.template.metadata'),
  )
  const kept = entries.map(([key, part]) => [key, withoutServerKeys(part, `${path}.${key}`)] as const)
  return Object.fromEntries(
    kept.filter(([key, part]) => !/^(labels|annotations)$/.test(key) || !isRecord(part) || Object.keys(part).length > 0),
  )
}
