import { create } from '@bufbuild/protobuf'
import { LaunchStageSchema } from '../../../api/gen/google/api/launch_stage_pb.ts'
import type { Condition } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import {
  TrafficTargetAllocationType,
  TrafficTargetSchema,
  type TrafficTarget,
  type TrafficTargetStatus,
} from '../../../api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { IngressTraffic, ServiceScaling_ScalingMode } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import {
  invalid,
  readCount,
  readFlag,
  readLaunchStage,
  readWord,
  refuseUnknownAnnotations,
  run,
  toCount,
  type Annotations,
} from './v1-annotations.ts'
import { fromBinaryAuthorization, toBinaryAuthorization } from './v1-binary-authorization.ts'
import { fromResourceVersion, toCondition, toMeta, type V1Place } from './v1-metadata.ts'
import { fromV1Template, toV1Template } from './v1-revision-template.ts'
import { present, without, type Json, type V1Service } from './v1-schema.ts'

const serving = 'serving.knative.dev/'

/** Annotations of a Service that are fields of version 2, or that the server writes. */
const serviceAnnotations = new Set([
  `${serving}creator`,
  `${serving}lastModifier`,
  ...(
    'client-name client-version description ingress ingress-status launch-stage minScale maxScale scalingMode manualInstanceCount ' +
    'invoker-iam-disabled default-url-disabled custom-audiences binary-authorization binary-authorization-breakglass iap-enabled operation-id urls'
  )
    .split(' ')
    .map((name) => run + name),
])

/** A Knative Service as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1Service({ metadata, spec }: V1Service, name: string): Service {
  const annotations = metadata.annotations ?? {}
  const [min, max, manual] = ['minScale', 'maxScale', 'manualInstanceCount'].map((word) => readCount(annotations, run + word))
  refuseUnknownAnnotations(annotations, 'Service', serviceAnnotations)
  const mode = readWord(annotations, `${run}scalingMode`, modes)
  const isScaled = min !== undefined || max !== undefined || manual !== undefined || mode !== undefined
  return create(ServiceSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: without(metadata.labels ?? {}, new Set(['cloud.googleapis.com/location'])),
    annotations: without(annotations, serviceAnnotations),
    description: annotations[`${run}description`] ?? '',
    client: annotations[`${run}client-name`] ?? '',
    clientVersion: annotations[`${run}client-version`] ?? '',
    ingress: readWord(annotations, `${run}ingress`, ingresses) ?? IngressTraffic.ALL,
    launchStage: readLaunchStage(annotations),
    invokerIamDisabled: readFlag(annotations, `${run}invoker-iam-disabled`) === true,
    defaultUriDisabled: readFlag(annotations, `${run}default-url-disabled`) === true,
    iapEnabled: readFlag(annotations, `${run}iap-enabled`) === true,
    customAudiences: readAudiences(annotations),
    template: fromV1Template(spec.template, annotations),
    traffic: (spec.traffic ?? []).map(fromTarget),
    ...(isScaled && {
      scaling: {
        minInstanceCount: min ?? 0,
        maxInstanceCount: max ?? 0,
        scalingMode: mode ?? ServiceScaling_ScalingMode.SCALING_MODE_UNSPECIFIED,
        ...(manual !== undefined && { manualInstanceCount: manual }),
      },
    }),
    ...fromBinaryAuthorization(annotations),
  })
}

/** A service as Knative says it, defaults and the server's own annotations included. */
export function toV1Service(service: Service, place: V1Place): Json {
  const scaling = service.scaling
  const annotations = {
    ...service.annotations,
    [`${serving}creator`]: service.creator,
    [`${serving}lastModifier`]: service.lastModifier,
    [`${run}client-name`]: service.client,
    [`${run}client-version`]: service.clientVersion,
    [`${run}description`]: service.description,
    [`${run}ingress`]: ingressWord(service.ingress),
    [`${run}ingress-status`]: ingressWord(service.ingress),
    [`${run}launch-stage`]:
      service.launchStage === 0 || service.launchStage === 4 ? '' : (LaunchStageSchema.value[service.launchStage]?.name ?? ''),
    [`${run}minScale`]: toCount(scaling?.minInstanceCount),
    [`${run}maxScale`]: toCount(scaling?.maxInstanceCount),
    [`${run}scalingMode`]: ['', 'automatic', 'manual'][scaling?.scalingMode ?? 0] ?? '',
    [`${run}manualInstanceCount`]: scaling?.manualInstanceCount === undefined ? '' : String(scaling.manualInstanceCount),
    [`${run}invoker-iam-disabled`]: service.invokerIamDisabled ? 'true' : '',
    [`${run}default-url-disabled`]: service.defaultUriDisabled ? 'true' : '',
    [`${run}custom-audiences`]: service.customAudiences.length === 0 ? '' : JSON.stringify(service.customAudiences),
    [`${run}urls`]: service.urls.length === 0 ? '' : JSON.stringify(service.urls), // the deterministic one first (run trap 27)
    ...toBinaryAuthorization(service),
  }
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: toMeta(place, 'serving.knative.dev', 'services', service, service.labels, present(annotations) as Record<string, string>),
    spec: {
      template: service.template === undefined ? {} : toV1Template(service.template),
      traffic: service.traffic.map((target) => toTarget(target, undefined)),
    },
    status: {
      observedGeneration: Number(observedGeneration(service)),
      conditions: toConditions(service),
      ...present({
        latestReadyRevisionName: idOf(service.latestReadyRevision),
        latestCreatedRevisionName: idOf(service.latestCreatedRevision),
        traffic: service.trafficStatuses.map((target) => toTarget(target, target.uri)),
        url: service.uri,
        address: present({ url: service.uri }),
      }),
    },
  }
}

/**
 * Version 2 keeps the last generation that serves where a deployment failed; Knative's clients read no condition before both generations are equal.
 */
export function observedGeneration(service: Service): bigint {
  return service.reconciling ? minimum(service.observedGeneration, service.generation - 1n) : service.generation
}

function toConditions(service: Service): readonly Json[] {
  const { terminalCondition, conditions, reconciling } = service
  const all: Condition[] = terminalCondition === undefined ? [] : [terminalCondition]
  if (!reconciling || terminalCondition === undefined) return [...all, ...conditions].map(toCondition)
  const pending = ['ConfigurationsReady', 'RoutesReady'].map((type) => ({
    ...terminalCondition,
    type,
    state: Condition_State.CONDITION_RECONCILING,
  }))
  return [...all, ...pending].map(toCondition)
}

type V1Target = NonNullable<V1Service['spec']['traffic']>[number]

function fromTarget({ percent, tag, revisionName, latestRevision }: V1Target) {
  const isLatest = latestRevision === true || !revisionName
  if (latestRevision === true && revisionName) throw invalid('spec.traffic', 'latestRevision and revisionName exclude each other.')
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

const modes = { automatic: ServiceScaling_ScalingMode.AUTOMATIC, manual: ServiceScaling_ScalingMode.MANUAL }

const ingresses: Readonly<Record<string, IngressTraffic>> = {
  all: IngressTraffic.ALL,
  internal: IngressTraffic.INTERNAL_ONLY,
  'internal-and-cloud-load-balancing': IngressTraffic.INTERNAL_LOAD_BALANCER,
  none: IngressTraffic.NONE,
}

function ingressWord(ingress: IngressTraffic): string {
  return Object.entries(ingresses).find(([, value]) => value === ingress)?.[0] ?? 'all'
}

function readAudiences(annotations: Annotations): string[] {
  const text = annotations[`${run}custom-audiences`]
  if (text === undefined || text === '') return []
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value.map(String)
  } catch {
    // told below
  }
  throw invalid(`metadata.annotations[${run}custom-audiences]`, 'must be a JSON list of texts.')
}

function idOf(name: string): string {
  return name.split('/').at(-1) ?? ''
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
