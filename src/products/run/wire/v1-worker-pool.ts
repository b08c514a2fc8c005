import { create } from '@bufbuild/protobuf'
import { LaunchStageSchema } from '../../../api/gen/google/api/launch_stage_pb.ts'
import {
  InstanceSplitAllocationType,
  type InstanceSplit,
  type InstanceSplitStatus,
} from '../../../api/gen/google/cloud/run/v2/instance_split_pb.ts'
import type { Revision } from '../../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { ExecutionEnvironment } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { WorkerPoolSchema, type WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import {
  WorkerPoolRevisionTemplateSchema,
  type WorkerPoolRevisionTemplate,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_revision_template_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { poolTemplateOf } from '../worker-pools/pool-revisions.ts'
import { invalid, readCount, readLaunchStage, refuseUnknownAnnotations, run, type Annotations } from './v1-annotations.ts'
import { fromBinaryAuthorization, toBinaryAuthorization } from './v1-binary-authorization.ts'
import { fromResourceVersion, toCondition, toMeta, type V1Place } from './v1-metadata.ts'
import { present, without, type Json, type V1WorkerPool } from './v1-schema.ts'
import { fromPod, podAnnotations, toPod } from './v1-template.ts'

const group = 'run.googleapis.com'
const serving = 'serving.knative.dev/'

/** Annotations of a WorkerPool that are fields of version 2, or that the server writes. */
const poolAnnotations = new Set([
  `${serving}creator`,
  `${serving}lastModifier`,
  ...(
    'client-name client-version description launch-stage scalingMode manualInstanceCount ' +
    'binary-authorization binary-authorization-breakglass operation-id'
  )
    .split(' ')
    .map((name) => run + name),
])

/** Of its template: the client is the pool's own. */
const templateAnnotations = new Set([`${run}client-name`, `${run}client-version`, ...podAnnotations])

const googleLabels = new Set(['cloud.googleapis.com/location'])

/** Version 2 as it is emulated has manual scaling alone. */
const refusedAnnotations = ['minScale', 'maxScale', 'max-surge', 'max-unavailable'].map((name) => run + name)

/** A WorkerPool of version 1 as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1WorkerPool({ metadata, spec }: V1WorkerPool, name: string): WorkerPool {
  const annotations = metadata.annotations ?? {}
  const refused = refusedAnnotations.find((key) => annotations[key] !== undefined)
  if (refused !== undefined) throw unimplemented(`the annotation ${refused} of worker pools`)
  refuseUnknownAnnotations(annotations, 'WorkerPool', poolAnnotations)
  const mode = annotations[`${run}scalingMode`] ?? 'manual'
  if (mode === 'automatic') throw unimplemented('automatic scaling of worker pools')
  if (mode !== 'manual') throw invalid(`metadata.annotations[${run}scalingMode]`, `"${mode}" is no scaling mode.`)
  const count = readCount(annotations, `${run}manualInstanceCount`)
  return create(WorkerPoolSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: without(metadata.labels ?? {}, googleLabels),
    annotations: without(annotations, poolAnnotations),
    description: annotations[`${run}description`] ?? '',
    client: annotations[`${run}client-name`] ?? '',
    clientVersion: annotations[`${run}client-version`] ?? '',
    launchStage: readLaunchStage(annotations),
    template: fromTemplate(spec.template),
    instanceSplits: (spec.instanceSplits ?? []).map(fromSplit),
    ...(count !== undefined && { scaling: { manualInstanceCount: count } }),
    ...fromBinaryAuthorization(annotations),
  })
}

export function toV1WorkerPool(pool: WorkerPool, place: V1Place): Json {
  const annotations = {
    ...pool.annotations,
    [`${serving}creator`]: pool.creator,
    [`${serving}lastModifier`]: pool.lastModifier,
    [`${run}client-name`]: pool.client,
    [`${run}client-version`]: pool.clientVersion,
    [`${run}description`]: pool.description,
    [`${run}launch-stage`]: pool.launchStage === 0 || pool.launchStage === 4 ? '' : (LaunchStageSchema.value[pool.launchStage]?.name ?? ''),
    [`${run}scalingMode`]: 'manual',
    [`${run}manualInstanceCount`]: String(pool.scaling?.manualInstanceCount ?? 1),
    ...toBinaryAuthorization(pool),
  }
  return {
    apiVersion: `${group}/v1`,
    kind: 'WorkerPool',
    metadata: toMeta(place, group, 'workerpools', pool, pool.labels, present(annotations) as Annotations),
    spec: {
      template: pool.template === undefined ? {} : toTemplate(pool.template),
      ...present({ instanceSplits: pool.instanceSplits.map(toSplit) }),
    },
    status: {
      observedGeneration: Number(pool.reconciling ? pool.observedGeneration : pool.generation),
      conditions: (pool.terminalCondition === undefined ? [] : [pool.terminalCondition, ...pool.conditions]).map(toCondition),
      ...present({
        latestReadyRevisionName: idOf(pool.latestReadyRevision),
        latestCreatedRevisionName: idOf(pool.latestCreatedRevision),
        instanceSplits: pool.instanceSplitStatuses.map(toSplit),
      }),
    },
  }
}

/** The labels by which clients find the revisions of a worker pool, and tell them from those of services. */
export function poolRevisionLabels(revision: Revision): Annotations {
  return { ...revision.labels, [`${run}workerPool`]: poolOf(revision) }
}

export function toV1PoolRevision(revision: Revision, place: V1Place): Json {
  const { metadata, spec } = toTemplate(poolTemplateOf(revision)) as { metadata: { annotations?: Annotations }; spec: Json }
  const annotations = present({ ...metadata.annotations, [`${serving}creator`]: revision.creator }) as Annotations
  const owner = { apiVersion: `${group}/v1`, kind: 'WorkerPool', name: poolOf(revision), controller: true, blockOwnerDeletion: true }
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      ...toMeta(place, 'serving.knative.dev', 'revisions', revision, poolRevisionLabels(revision), annotations),
      ownerReferences: [owner],
    },
    spec,
    status: { observedGeneration: Number(revision.observedGeneration), conditions: revision.conditions.map(toCondition) },
  }
}

function fromTemplate({ metadata, spec }: V1WorkerPool['spec']['template']): WorkerPoolRevisionTemplate {
  const annotations = metadata?.annotations ?? {}
  refuseUnknownAnnotations(annotations, 'Revision', templateAnnotations)
  const { vpcAccess, executionEnvironment, ...pod } = fromPod(spec, annotations)
  if (executionEnvironment === ExecutionEnvironment.GEN1)
    throw invalid(`spec.template.metadata.annotations[${run}execution-environment]`, 'worker pools run in the second generation alone.')
  for (const { resources } of pod.containers) if (resources !== undefined) resources.cpuIdle = false // a worker has its CPU always
  const accelerator = spec.nodeSelector?.[`${run}accelerator`]
  return create(WorkerPoolRevisionTemplateSchema, {
    ...pod,
    revision: metadata?.name ?? '',
    labels: { ...metadata?.labels },
    annotations: without(annotations, templateAnnotations),
    ...(vpcAccess !== undefined && { vpcAccess }),
    ...(accelerator !== undefined && { nodeSelector: { accelerator } }),
  })
}

function toTemplate(template: WorkerPoolRevisionTemplate): Json {
  const pod = toPod({ ...template, vpcAccess: template.vpcAccess, executionEnvironment: ExecutionEnvironment.UNSPECIFIED })
  const ofPod = without(pod.annotations, new Set([`${run}cpu-throttling`]))
  const { revision: name, labels, annotations } = template
  return { metadata: present({ name, labels, annotations: { ...annotations, ...ofPod } }), spec: pod.spec }
}

type V1Split = NonNullable<V1WorkerPool['spec']['instanceSplits']>[number]

function fromSplit({ percent, revisionName, latestRevision }: V1Split) {
  if (latestRevision === true && revisionName) throw invalid('spec.instanceSplits', 'latestRevision and revisionName exclude each other.')
  const { LATEST, REVISION } = InstanceSplitAllocationType
  return { type: revisionName ? REVISION : LATEST, revision: revisionName ?? '', percent: percent ?? 0 }
}

function toSplit({ type, revision, percent }: InstanceSplit | InstanceSplitStatus): Json {
  const isLatest = type !== InstanceSplitAllocationType.REVISION
  return { ...(isLatest && { latestRevision: true }), ...present({ revisionName: revision }), ...(percent !== 0 && { percent }) }
}

function poolOf({ name }: Revision): string {
  return /\/workerPools\/([^/]+)\//.exec(name)?.[1] ?? ''
}

function idOf(name: string): string {
  return name.split('/').at(-1) ?? ''
}
