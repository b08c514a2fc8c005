import { create } from '@bufbuild/protobuf'
import {
  InstanceSplitAllocationType,
  InstanceSplitSchema,
  type InstanceSplit,
  type InstanceSplitStatus,
} from '../../../api/gen/google/cloud/run/v2/instance_split_pb.ts'
import { ExecutionEnvironment, WorkerPoolScalingSchema } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { WorkerPoolSchema, type WorkerPool } from '../../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import {
  WorkerPoolRevisionTemplateSchema,
  type WorkerPoolRevisionTemplate,
} from '../../../api/gen/google/cloud/run/v2/worker_pool_revision_template_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { lastPart } from '../../../base/last-part.ts'
import { invalid } from '../invalid.ts'
import { defaultWorkers } from '../defaults.ts'
import {
  authorAnnotations,
  commonAnnotations,
  passedAnnotations,
  readAnnotations,
  readCount,
  readWord,
  run,
  serving,
  textField,
  userKeys,
  writeAnnotations,
  type Annotation,
} from './v1-annotations.ts'
import { fromResourceVersion, settledGeneration, toConditions, toResource, type V1Place } from './v1-metadata.ts'
import { readPod, writePod } from './v1-pod.ts'
import { environmentAnnotation, environments, podAnnotations } from './v1-pod-annotations.ts'
import { locationLabel, present, without, type Json, type V1WorkerPool } from './v1-schema.ts'

/** Version 2 as it is emulated has manual scaling alone. */
const poolAnnotations: readonly Annotation<WorkerPool>[] = [
  ...commonAnnotations,
  ...authorAnnotations(serving),
  textField(`${run}description`, 'description'),
  {
    key: `${run}scalingMode`,
    read(_into, text, field) {
      if (text === 'automatic') throw unimplemented('automatic scaling of worker pools')
      if (text !== 'manual') throw invalid(`${field}: "${text}" is no scaling mode.`)
    },
    write: () => 'manual',
  },
  {
    key: `${run}manualInstanceCount`,
    read: (into, text, field) => (into.scaling = create(WorkerPoolScalingSchema, { manualInstanceCount: readCount(text, field) })),
    write: ({ scaling }) => String(scaling?.manualInstanceCount ?? defaultWorkers),
  },
]

const templateAnnotations: readonly Annotation<WorkerPoolRevisionTemplate>[] = [
  ...podAnnotations,
  {
    key: environmentAnnotation.key,
    read(_into, text, field) {
      if (readWord(text, field, environments) === ExecutionEnvironment.GEN1)
        throw invalid(`${field}: worker pools run in the second generation alone.`)
    },
  },
  ...passedAnnotations,
]

/** A WorkerPool of version 1 as version 2 says it. @param name its full name @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1WorkerPool({ metadata, spec }: V1WorkerPool, name: string): WorkerPool {
  const annotations = metadata.annotations ?? {}
  const pool = create(WorkerPoolSchema, {
    name,
    etag: fromResourceVersion(metadata.resourceVersion),
    labels: without(metadata.labels ?? {}, new Set([locationLabel])),
    annotations: userKeys(annotations),
    instanceSplits: (spec.instanceSplits ?? []).map(fromSplit),
  })
  readAnnotations(poolAnnotations, 'WorkerPool', annotations, pool)
  pool.template = fromTemplate(spec.template)
  return pool
}

export function toV1WorkerPool(pool: WorkerPool, place: V1Place): Json {
  return toResource('WorkerPool', place, pool, {
    annotations: { ...pool.annotations, ...writeAnnotations(poolAnnotations, pool) },
    spec: {
      template: pool.template === undefined ? {} : toPoolTemplate(pool.template),
      ...present({ instanceSplits: pool.instanceSplits.map(toSplit) }),
    },
    status: {
      observedGeneration: settledGeneration(pool),
      conditions: toConditions(pool),
      ...present({
        latestReadyRevisionName: lastPart(pool.latestReadyRevision),
        latestCreatedRevisionName: lastPart(pool.latestCreatedRevision),
        instanceSplits: pool.instanceSplitStatuses.map(toSplit),
      }),
    },
  })
}

/** `metadata` and `spec` of a template, or of a revision, which has the same fields. */
export function toPoolTemplate(template: WorkerPoolRevisionTemplate): { readonly metadata: Record<string, unknown>; readonly spec: Json } {
  const { revision: name, labels } = template
  const annotations = { ...template.annotations, ...writeAnnotations(templateAnnotations, template) }
  return { metadata: present({ name, labels, annotations }), spec: writePod(template) }
}

function fromTemplate({ metadata, spec }: V1WorkerPool['spec']['template']): WorkerPoolRevisionTemplate {
  const annotations = metadata?.annotations ?? {}
  const template = create(WorkerPoolRevisionTemplateSchema, {
    ...readPod(spec),
    revision: metadata?.name ?? '',
    labels: { ...metadata?.labels },
    annotations: userKeys(annotations),
  })
  readAnnotations(templateAnnotations, 'Revision', annotations, template)
  for (const { resources } of template.containers) if (resources !== undefined) resources.cpuIdle = false // a worker has its CPU always
  return template
}

type V1Split = NonNullable<V1WorkerPool['spec']['instanceSplits']>[number]

function fromSplit({ percent, revisionName, latestRevision }: V1Split): InstanceSplit {
  if (latestRevision === true && revisionName) throw invalid(`spec.instanceSplits: latestRevision and revisionName exclude each other.`)
  const { LATEST, REVISION } = InstanceSplitAllocationType
  return create(InstanceSplitSchema, {
    type: revisionName ? REVISION : LATEST,
    revision: revisionName ?? '',
    percent: percent ?? 0,
  })
}

function toSplit({ type, revision, percent }: InstanceSplit | InstanceSplitStatus): Json {
  const isLatest = type !== InstanceSplitAllocationType.REVISION
  return { ...(isLatest && { latestRevision: true }), ...present({ revisionName: revision }), ...(percent !== 0 && { percent }) }
}
