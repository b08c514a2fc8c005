import { create } from '@bufbuild/protobuf'
import { LaunchStage, LaunchStageSchema } from '../../../api/gen/google/api/launch_stage_pb.ts'
import type { Condition } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { Condition_State } from '../../../api/gen/google/cloud/run/v2/condition_pb.ts'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import {
  TrafficTargetAllocationType,
  TrafficTargetSchema,
  type TrafficTarget,
  type TrafficTargetStatus,
} from '../../../api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { IngressTraffic, ServiceScaling_ScalingMode } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { unimplemented } from '../../../api/status.ts'
import { fromResourceVersion, toCondition, toMeta, type V1Place } from './v1-metadata.ts'
import { present, without, type Json, type V1Service } from './v1-schema.ts'
import { defaultProbe, fromPod, podAnnotations, toPod } from './v1-template.ts'

type Annotations = Readonly<Record<string, string>>

const run = 'run.googleapis.com/'
const serving = 'serving.knative.dev/'
const minScale = 'autoscaling.knative.dev/minScale'
const maxScale = 'autoscaling.knative.dev/maxScale'
const probeType = `${run}startupProbeType`

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

const templateAnnotations = new Set([minScale, maxScale, `${run}sessionAffinity`, `${run}health-check-disabled`, ...podAnnotations])

/** Kinds of image that version 1 names in annotations and that are not emulated. */
const refusedAnnotations = ['sources', 'base-images', 'mesh'].map((name) => run + name)

/** A Knative Service as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1Service({ metadata, spec }: V1Service, name: string): Service {
  const annotations = metadata.annotations ?? {}
  const [min, max, manual] = ['minScale', 'maxScale', 'manualInstanceCount'].map((word) => readCount(annotations, run + word))
  const mode = annotations[`${run}scalingMode`]
  const isScaled = min !== undefined || max !== undefined || manual !== undefined || mode !== undefined
  const ingress = annotations[`${run}ingress`] ?? 'all'
  if (ingresses[ingress] === undefined) throw invalid(`metadata.annotations[${run}ingress]`, `"${ingress}" is no ingress setting.`)
  return create(ServiceSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: without(metadata.labels ?? {}, new Set(['cloud.googleapis.com/location'])),
    annotations: without(annotations, serviceAnnotations),
    description: annotations[`${run}description`] ?? '',
    client: annotations[`${run}client-name`] ?? '',
    clientVersion: annotations[`${run}client-version`] ?? '',
    ingress: ingresses[ingress],
    launchStage: LaunchStage[(annotations[`${run}launch-stage`] ?? '') as keyof typeof LaunchStage] ?? LaunchStage.LAUNCH_STAGE_UNSPECIFIED,
    invokerIamDisabled: annotations[`${run}invoker-iam-disabled`] === 'true',
    defaultUriDisabled: annotations[`${run}default-url-disabled`] === 'true',
    iapEnabled: annotations[`${run}iap-enabled`] === 'true',
    customAudiences: readAudiences(annotations),
    template: fromV1Template(spec.template, annotations),
    traffic: (spec.traffic ?? []).map(fromTarget),
    ...(isScaled && {
      scaling: {
        minInstanceCount: min ?? 0,
        maxInstanceCount: max ?? 0,
        scalingMode:
          mode === 'manual' ? ServiceScaling_ScalingMode.MANUAL : mode === 'automatic' ? ServiceScaling_ScalingMode.AUTOMATIC : 0,
        ...(manual !== undefined && { manualInstanceCount: manual }),
      },
    }),
    ...fromBinaryAuthorization(annotations),
  })
}

function fromV1Template({ metadata, spec }: V1Service['spec']['template'], ofService: Annotations): RevisionTemplate {
  const annotations = metadata?.annotations ?? {}
  const refused = refusedAnnotations.find((key) => annotations[key] !== undefined || ofService[key] !== undefined)
  if (refused !== undefined) throw unimplemented(`the annotation ${refused}`)
  const accelerator = spec.nodeSelector?.[`${run}accelerator`]
  const { vpcAccess, ...pod } = fromPod(spec, annotations)
  for (const container of pod.containers) container.name ||= `${imageName(container.image)}-1`
  const [min, max] = [readCount(annotations, minScale), readCount(annotations, maxScale)]
  return create(RevisionTemplateSchema, {
    ...pod,
    revision: metadata?.name ?? '',
    labels: without(metadata?.labels ?? {}, new Set([probeType])),
    annotations: without(annotations, templateAnnotations),
    maxInstanceRequestConcurrency: spec.containerConcurrency ?? 0,
    sessionAffinity: annotations[`${run}sessionAffinity`] === 'true',
    healthCheckDisabled: annotations[`${run}health-check-disabled`] === 'true',
    scaling: { minInstanceCount: min ?? 0, maxInstanceCount: max ?? 0 },
    ...(spec.timeoutSeconds && { timeout: { seconds: BigInt(spec.timeoutSeconds), nanos: 0 } }),
    ...(vpcAccess !== undefined && { vpcAccess }),
    ...(accelerator !== undefined && { nodeSelector: { accelerator } }),
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
    [`${run}minScale`]: count(scaling?.minInstanceCount),
    [`${run}maxScale`]: count(scaling?.maxInstanceCount),
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

/** `metadata` and `spec` of a template, or of a revision, which has the same fields. */
export function toV1Template(template: RevisionTemplate): Json {
  const pod = toPod({ ...template, vpcAccess: template.vpcAccess })
  const ingress = template.containers.find(({ ports }) => ports.length > 0) ?? template.containers[0]
  const hasProbe = ingress?.startupProbe !== undefined
  const port = ingress?.ports[0]?.containerPort ?? 8080
  const annotations = {
    ...template.annotations,
    ...pod.annotations,
    [minScale]: count(template.scaling?.minInstanceCount),
    [maxScale]: count(template.scaling?.maxInstanceCount),
    [`${run}sessionAffinity`]: template.sessionAffinity ? 'true' : '',
    [`${run}health-check-disabled`]: template.healthCheckDisabled ? 'true' : '',
  }
  const containers = (pod.spec['containers'] as Json[] | undefined) ?? []
  return {
    metadata: present({
      name: template.revision,
      labels: { ...template.labels, ...(!hasProbe && { [probeType]: 'Default' }) },
      annotations: present(annotations),
    }),
    spec: {
      containerConcurrency: template.maxInstanceRequestConcurrency,
      timeoutSeconds: Number(template.timeout?.seconds ?? 300n),
      ...pod.spec,
      containers: containers.map((container, index) =>
        !hasProbe && template.containers[index] === ingress
          ? { ...container, startupProbe: { ...defaultProbe, tcpSocket: { port } } }
          : container,
      ),
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

function readCount(annotations: Annotations, key: string): number | undefined {
  const text = annotations[key]
  if (text === undefined || text === '') return undefined
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw invalid(`metadata.annotations[${key}]`, `"${text}" is not a whole number.`)
}

function fromBinaryAuthorization(annotations: Annotations): Pick<Service, 'binaryAuthorization'> | Record<string, never> {
  const policy = annotations[`${run}binary-authorization`]
  if (policy === undefined) return {}
  const breakglassJustification = annotations[`${run}binary-authorization-breakglass`] ?? ''
  const binauthzMethod = policy === 'default' ? { case: 'useDefault' as const, value: true } : { case: 'policy' as const, value: policy }
  const { binaryAuthorization } = create(ServiceSchema, { binaryAuthorization: { breakglassJustification, binauthzMethod } })
  return binaryAuthorization === undefined ? {} : { binaryAuthorization }
}

function toBinaryAuthorization({ binaryAuthorization }: Service): Annotations {
  if (binaryAuthorization === undefined) return {}
  const { binauthzMethod, breakglassJustification } = binaryAuthorization
  return {
    [`${run}binary-authorization`]: binauthzMethod.case === 'policy' ? binauthzMethod.value : 'default',
    [`${run}binary-authorization-breakglass`]: breakglassJustification,
  }
}

/** `us-docker.pkg.dev/p/hello:1` is called `hello`: Cloud Run names a container without a name after it. */
function imageName(image: string): string {
  return (image.split('/').at(-1) ?? '').replace(/[:@].*$/, '').replaceAll(/[^a-z0-9-]/g, '-') || 'container'
}

function count(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : String(value)
}

function idOf(name: string): string {
  return name.split('/').at(-1) ?? ''
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function invalid(field: string, words: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `${field}: ${words}`, 'Correct the request.')
}
