import { create } from '@bufbuild/protobuf'
import { Condition_State, type Condition } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import {
  TrafficTargetAllocationType,
  TrafficTargetSchema,
  type TrafficTarget,
  type TrafficTargetStatus,
} from '../../../api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import {
  IngressTraffic,
  ServiceScaling_ScalingMode,
  ServiceScalingSchema,
  type ServiceScaling,
} from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { invalid } from '../invalid.ts'
import {
  authorAnnotations,
  commonAnnotations,
  countText,
  readAnnotations,
  readCount,
  flagField,
  readFlag,
  readWord,
  run,
  serving,
  textField,
  userKeys,
  wordOf,
  writeAnnotations,
  type Annotation,
} from './v1-annotations.ts'
import { fromResourceVersion, toCondition, toResource, type V1Place } from './v1-metadata.ts'
import { fromV1Template, toV1Template } from './v1-revision-template.ts'
import { locationLabel, present, without, type Json, type V1Service } from './v1-schema.ts'

const modes = { automatic: ServiceScaling_ScalingMode.AUTOMATIC, manual: ServiceScaling_ScalingMode.MANUAL }

const ingresses: Readonly<Record<string, IngressTraffic>> = {
  all: IngressTraffic.ALL,
  internal: IngressTraffic.INTERNAL_ONLY,
  'internal-and-cloud-load-balancing': IngressTraffic.INTERNAL_LOAD_BALANCER,
  none: IngressTraffic.NONE,
}

const ingressWord = ({ ingress }: Service) => wordOf(ingresses, ingress) || 'all'

const serviceAnnotations: readonly Annotation<Service>[] = [
  ...commonAnnotations,
  ...authorAnnotations(serving),
  textField(`${run}description`, 'description'),
  {
    key: `${run}ingress`,
    read: (into, text, field) => (into.ingress = readWord(text, field, ingresses)),
    write: ingressWord,
  },
  { key: `${run}ingress-status`, write: ingressWord },
  scaleField(`${run}minScale`, 'minInstanceCount'),
  scaleField(`${run}maxScale`, 'maxInstanceCount'),
  {
    key: `${run}scalingMode`,
    read: (into, text, field) => (scalingOf(into).scalingMode = readWord(text, field, modes)),
    write: ({ scaling }) => (scaling === undefined ? '' : wordOf<ServiceScaling_ScalingMode>(modes, scaling.scalingMode)),
  },
  {
    key: `${run}manualInstanceCount`,
    read: (into, text, field) => (scalingOf(into).manualInstanceCount = readCount(text, field)),
    write: ({ scaling }) => String(scaling?.manualInstanceCount ?? ''),
  },
  flagField(`${run}invoker-iam-disabled`, 'invokerIamDisabled'),
  flagField(`${run}default-url-disabled`, 'defaultUriDisabled'),
  { key: `${run}iap-enabled`, read: (into, text, field) => (into.iapEnabled = readFlag(text, field)) },
  {
    key: `${run}custom-audiences`,
    read: (into, text, field) => (into.customAudiences = readAudiences(text, field)),
    write: ({ customAudiences }) => (customAudiences.length === 0 ? '' : JSON.stringify(customAudiences)),
  },
  // the deterministic one first (run trap 27)
  { key: `${run}urls`, write: ({ urls }) => (urls.length === 0 ? '' : JSON.stringify(urls)) },
]

/** A Knative Service as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1Service({ metadata, spec }: V1Service, name: string): Service {
  const annotations = metadata.annotations ?? {}
  const service = create(ServiceSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: without(metadata.labels ?? {}, new Set([locationLabel])),
    annotations: userKeys(annotations),
    ingress: IngressTraffic.ALL,
    traffic: (spec.traffic ?? []).map(fromTarget),
  })
  readAnnotations(serviceAnnotations, 'Service', annotations, service)
  service.template = fromV1Template(spec.template)
  return service
}

/** A service as Knative says it, defaults and the server's own annotations included. */
export function toV1Service(service: Service, place: V1Place): Json {
  return toResource('Service', place, service, {
    annotations: { ...service.annotations, ...writeAnnotations(serviceAnnotations, service) },
    spec: {
      template: service.template === undefined ? {} : toV1Template(service.template),
      traffic: service.traffic.map((target) => toTarget(target, undefined)),
    },
    status: {
      observedGeneration: Number(observedGeneration(service)),
      conditions: conditionsOf(service).map(toCondition),
      ...present({
        latestReadyRevisionName: lastPart(service.latestReadyRevision),
        latestCreatedRevisionName: lastPart(service.latestCreatedRevision),
        traffic: service.trafficStatuses.map((target) => toTarget(target, target.uri)),
        url: service.uri,
        address: present({ url: service.uri }),
      }),
    },
  })
}

/**
 * Version 2 keeps the last generation that serves where a deployment failed; Knative's clients read no condition before both generations are equal.
 */
export function observedGeneration({ reconciling, observedGeneration: observed, generation }: Service): bigint {
  return !reconciling ? generation : observed < generation - 1n ? observed : generation - 1n
}

function conditionsOf({ terminalCondition: ready, conditions, reconciling }: Service): readonly Condition[] {
  if (ready === undefined) return conditions
  const state = Condition_State.CONDITION_RECONCILING
  return [ready, ...(reconciling ? ['ConfigurationsReady', 'RoutesReady'].map((type) => ({ ...ready, type, state })) : conditions)]
}

type V1Target = NonNullable<V1Service['spec']['traffic']>[number]

function fromTarget({ percent, tag, revisionName, latestRevision }: V1Target): TrafficTarget {
  const isLatest = latestRevision === true || !revisionName
  if (latestRevision === true && revisionName) throw invalid(`spec.traffic: latestRevision and revisionName exclude each other.`)
  return create(TrafficTargetSchema, {
    type: isLatest ? TrafficTargetAllocationType.LATEST : TrafficTargetAllocationType.REVISION,
    revision: isLatest ? '' : (revisionName ?? ''),
    percent: percent ?? 0,
    tag: tag ?? '',
  })
}

function toTarget(target: TrafficTarget | TrafficTargetStatus, url: string | undefined): Json {
  const isLatest = target.type !== TrafficTargetAllocationType.REVISION
  return {
    ...(isLatest ? { latestRevision: true } : {}),
    ...present({ revisionName: target.revision, tag: target.tag, url }),
    ...(target.percent !== 0 && { percent: target.percent }),
  }
}

function readAudiences(text: string, field: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.map(String)
  } catch {
    // told below
  }
  throw invalid(`${field}: must be a JSON list of texts.`)
}

function scaleField(key: string, field: 'minInstanceCount' | 'maxInstanceCount'): Annotation<Service> {
  return {
    key,
    read: (into, text, at) => (scalingOf(into)[field] = readCount(text, at)),
    write: ({ scaling }) => countText(scaling?.[field]),
  }
}

function scalingOf(service: Service): ServiceScaling {
  return (service.scaling ??= create(ServiceScalingSchema))
}
