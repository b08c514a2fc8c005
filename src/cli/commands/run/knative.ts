import { isRecord } from '../../../base/is-record.ts'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import type { ResourceKind } from './resource-kinds.ts'
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

interface KnativeCondition {
  readonly type: string
  readonly status: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/** A collection of v1: of the region for what stands directly below it; of the region that is named, or of all, for lists and for what is deeper. */
export function collectionUrl({ project, region, isRegional }: Scope, kind: ResourceKind, isList = false): string {
  const isAnywhere = !isRegional && (isList || kind.isDeep)
  return `https://${isAnywhere ? '' : `${region}-`}run.googleapis.com/apis/${kind.group}/v1/namespaces/${project}/${kind.collection.toLowerCase()}`
}

/** Every item of a v1 list, over its pages. @param selector of labels: `run.googleapis.com/job=nightly` */
export async function listKnative(scope: Scope, kind: ResourceKind, selector = ''): Promise<readonly Knative[]> {
  const items: Knative[] = []
  for (let next = ''; ;) {
    const query = new URLSearchParams({ ...(selector !== '' && { labelSelector: selector }), continue: next })
    const page = await scope.api.call('GET', `${collectionUrl(scope, kind, true)}?${query}`)
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
