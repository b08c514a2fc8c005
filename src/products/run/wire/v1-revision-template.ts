import { create } from '@bufbuild/protobuf'
import { RevisionScalingSchema, type RevisionScaling } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { defaultPort, defaultRequestSeconds } from '../defaults.ts'
import { ingressOf } from '../instances/instance-spec.ts'
import {
  countText,
  passedAnnotations,
  readAnnotations,
  readCount,
  flagField,
  run,
  userKeys,
  writeAnnotations,
  type Annotation,
} from './v1-annotations.ts'
import { readPod, writePod } from './v1-pod.ts'
import { environmentAnnotation, podAnnotations, throttlingAnnotation } from './v1-pod-annotations.ts'
import { defaultProbe } from './v1-probes.ts'
import { present, without, type Json, type V1Service } from './v1-schema.ts'

const probeType = `${run}startupProbeType`

const templateAnnotations: readonly Annotation<RevisionTemplate>[] = [
  ...podAnnotations.filter(({ key }) => key !== throttlingAnnotation.key),
  throttlingAnnotation,
  environmentAnnotation,
  scaleField('autoscaling.knative.dev/minScale', 'minInstanceCount'),
  scaleField('autoscaling.knative.dev/maxScale', 'maxInstanceCount'),
  flagField(`${run}sessionAffinity`, 'sessionAffinity'),
  flagField(`${run}health-check-disabled`, 'healthCheckDisabled'),
  ...passedAnnotations,
]

/** The template of a Knative Service. @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1Template({ metadata, spec }: V1Service['spec']['template']): RevisionTemplate {
  const annotations = metadata?.annotations ?? {}
  const pod = readPod(spec)
  for (const container of pod.containers) container.name ||= `${imageName(container.image)}-1`
  const template = create(RevisionTemplateSchema, {
    ...pod,
    revision: metadata?.name ?? '',
    labels: without(metadata?.labels ?? {}, new Set([probeType])),
    annotations: userKeys(annotations),
    maxInstanceRequestConcurrency: spec.containerConcurrency ?? 0,
    scaling: {},
    ...(spec.timeoutSeconds && { timeout: { seconds: BigInt(spec.timeoutSeconds), nanos: 0 } }),
  })
  readAnnotations(templateAnnotations, 'Revision', annotations, template)
  return template
}

/** `metadata` and `spec` of a template, or of a revision, which has the same fields. */
export function toV1Template(template: RevisionTemplate): { readonly metadata: Record<string, unknown>; readonly spec: Json } {
  const ingress = ingressOf(template)
  const hasProbe = ingress?.startupProbe !== undefined
  const port = ingress?.ports[0]?.containerPort ?? defaultPort
  const pod = writePod(template)
  const containers = (pod['containers'] as Json[] | undefined) ?? []
  return {
    metadata: present({
      name: template.revision,
      labels: { ...template.labels, ...(!hasProbe && { [probeType]: 'Default' }) },
      annotations: { ...template.annotations, ...writeAnnotations(templateAnnotations, template) },
    }),
    spec: {
      containerConcurrency: template.maxInstanceRequestConcurrency,
      timeoutSeconds: Number(template.timeout?.seconds ?? defaultRequestSeconds),
      ...pod,
      containers: containers.map((container, index) =>
        !hasProbe && template.containers[index] === ingress
          ? { ...container, startupProbe: { ...defaultProbe, tcpSocket: { port } } }
          : container,
      ),
    },
  }
}

function scaleField(key: string, field: 'minInstanceCount' | 'maxInstanceCount'): Annotation<RevisionTemplate> {
  return {
    key,
    read: (into, text, at) => (scalingOf(into)[field] = readCount(text, at)),
    write: ({ scaling }) => countText(scaling?.[field]),
  }
}

function scalingOf(template: RevisionTemplate): RevisionScaling {
  return (template.scaling ??= create(RevisionScalingSchema))
}

/** `us-docker.pkg.dev/p/hello:1` is called `hello`: Cloud Run names a container without a name after it. */
function imageName(image: string): string {
  return lastPart(image).replace(/[:@].*$/, '').replaceAll(/[^a-z0-9-]/g, '-') || 'container' // prettier-ignore
}
