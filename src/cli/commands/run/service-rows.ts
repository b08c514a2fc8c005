import type { Row } from '../../format/project-row.ts'
import { symbolOf, type Knative } from './knative.ts'

/** The columns of `gcloud run services list`, `revisions list`. */
export const serviceTable =
  'table(ready_symbol:label="",firstof(id,metadata.name):label=SERVICE:sort=1,region:label=REGION,domain:label=URL,last_modifier:label="LAST DEPLOYED BY",last_transition_time:label="LAST DEPLOYED AT")'
export const revisionTable =
  'table(ready_symbol:label="",name:label=REVISION,active.yesno(yes="yes", no=""):label=ACTIVE,service_name:label=SERVICE:sort=1,creation_timestamp.date("%Y-%m-%d %H:%M:%S %Z"):label=DEPLOYED:sort=2:reverse,author:label="DEPLOYED BY")'

export function serviceRow(service: Knative): Row {
  const { annotations = {} } = service.metadata
  const ready = service.status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    resource: service,
    derived: {
      ...commonColumns(service),
      domain: urlsIn(annotations['run.googleapis.com/urls'])[0] ?? service.status?.url,
      last_modifier: annotations['serving.knative.dev/lastModifier'] ?? annotations['serving.knative.dev/creator'],
      last_transition_time: ready?.lastTransitionTime,
    },
  }
}

/** @param active the revisions that take traffic or have a tag */
export function revisionRow(revision: Knative, active: ReadonlySet<string>): Row {
  const { name, labels = {} } = revision.metadata
  return {
    resource: revision,
    derived: { ...commonColumns(revision), active: active.has(name), service_name: labels['serving.knative.dev/service'] },
  }
}

/** The revisions that the traffic of `service` is about. */
export function activeIn({ status }: Knative): ReadonlySet<string> {
  const traffic = (status?.['traffic'] ?? []) as readonly {
    readonly revisionName?: string
    readonly percent?: number
    readonly tag?: string
  }[]
  return new Set(traffic.filter(({ percent = 0, tag }) => percent > 0 || tag !== undefined).map(({ revisionName = '' }) => revisionName))
}

/** What gcloud's tables know of any resource of v1. */
export function commonColumns(resource: Knative, condition?: string): Row['derived'] {
  const { name, labels = {}, annotations = {}, creationTimestamp, selfLink } = resource.metadata
  return {
    ready_symbol: symbolOf(resource, condition),
    name,
    region: labels['cloud.googleapis.com/location'],
    creation_timestamp: creationTimestamp,
    author: annotations['serving.knative.dev/creator'] ?? annotations['run.googleapis.com/creator'],
    uri: `https://run.googleapis.com${selfLink ?? ''}`,
  }
}

function urlsIn(text: string | undefined): readonly string[] {
  const urls: unknown = text === undefined ? [] : JSON.parse(text)
  return Array.isArray(urls) ? urls.map(String) : []
}
