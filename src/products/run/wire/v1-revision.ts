import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { templateOf } from '../services/revisions.ts'
import { toCondition, toMeta, type V1Place } from './v1-metadata.ts'
import { present, type Json } from './v1-schema.ts'
import { toV1Template } from './v1-revision-template.ts'
import { observedGeneration, toV1Service } from './v1-service.ts'

const knative = 'serving.knative.dev'

/** The labels by which clients find a service's revisions. */
export function revisionLabels(revision: Revision): Readonly<Record<string, string>> {
  const { service, labels, generation } = revision
  return {
    ...labels,
    [`${knative}/configuration`]: service,
    [`${knative}/configurationGeneration`]: String(generation),
    [`${knative}/service`]: service,
  }
}

export function toV1Revision(revision: Revision, place: V1Place): Json {
  const { metadata, spec } = toV1Template(templateOf(revision)) as { metadata: { annotations?: Record<string, string> }; spec: Json }
  const annotations = present({ ...metadata.annotations, [`${knative}/creator`]: revision.creator }) as Record<string, string>
  const meta = toMeta(place, knative, 'revisions', revision, revisionLabels(revision), annotations)
  return {
    apiVersion: `${knative}/v1`,
    kind: 'Revision',
    metadata: {
      ...meta,
      ownerReferences: [
        { apiVersion: `${knative}/v1`, kind: 'Configuration', name: revision.service, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec,
    status: { observedGeneration: Number(revision.observedGeneration), conditions: revision.conditions.map(toCondition) },
  }
}

/** What Knative makes of a Service for its revisions. */
export function toV1Configuration(service: Service, place: V1Place): Json {
  const { metadata, spec, status } = toV1Service(service, place) as { metadata: Json; spec: { template: Json }; status: Json }
  const ready = service.conditions.find(({ type }) => type === 'ConfigurationsReady') ?? service.terminalCondition
  return {
    apiVersion: `${knative}/v1`,
    kind: 'Configuration',
    metadata: { ...metadata, selfLink: String(metadata['selfLink']).replace('/services/', '/configurations/') },
    spec: { template: spec.template },
    status: {
      observedGeneration: Number(observedGeneration(service)),
      conditions: ready === undefined ? [] : [toCondition({ ...ready, type: 'Ready' })],
      ...present({
        latestReadyRevisionName: status['latestReadyRevisionName'],
        latestCreatedRevisionName: status['latestCreatedRevisionName'],
      }),
    },
  }
}

/** What Knative makes of a Service for its traffic. */
export function toV1Route(service: Service, place: V1Place): Json {
  const { metadata, spec, status } = toV1Service(service, place) as { metadata: Json; spec: { traffic: Json }; status: Json }
  const ready = service.conditions.find(({ type }) => type === 'RoutesReady') ?? service.terminalCondition
  return {
    apiVersion: `${knative}/v1`,
    kind: 'Route',
    metadata: { ...metadata, selfLink: String(metadata['selfLink']).replace('/services/', '/routes/') },
    spec: { traffic: spec.traffic },
    status: {
      observedGeneration: Number(observedGeneration(service)),
      conditions: ready === undefined ? [] : [toCondition({ ...ready, type: 'Ready' })],
      ...present({ traffic: status['traffic'], url: status['url'], address: status['address'] }),
    },
  }
}
