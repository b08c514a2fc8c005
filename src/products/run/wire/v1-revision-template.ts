import { create } from '@bufbuild/protobuf'
import { RevisionTemplateSchema, type RevisionTemplate } from '../../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { unimplemented } from '../../../api/status.ts'
import { readCount, readFlag, refuseUnknownAnnotations, run, toCount, type Annotations } from './v1-annotations.ts'
import { defaultProbe } from './v1-probes.ts'
import { present, without, type Json, type V1Service } from './v1-schema.ts'
import { fromPod, podAnnotations, toPod } from './v1-template.ts'

const minScale = 'autoscaling.knative.dev/minScale'
const maxScale = 'autoscaling.knative.dev/maxScale'
const probeType = `${run}startupProbeType`

const templateAnnotations = new Set([minScale, maxScale, `${run}sessionAffinity`, `${run}health-check-disabled`, ...podAnnotations])

/** What the server writes on revisions too, and clients send back. */
const knownAnnotations = new Set([
  ...templateAnnotations,
  ...['client-name', 'client-version', 'operation-id', 'launch-stage'].map((name) => run + name),
  ...['creator', 'lastModifier'].map((name) => `serving.knative.dev/${name}`),
])

/** Kinds of image that version 1 names in annotations and that are not emulated. */
const refusedAnnotations = ['sources', 'base-images', 'mesh'].map((name) => run + name)

/** The template of a Knative Service. @throws CloudError INVALID_ARGUMENT, UNIMPLEMENTED by name */
export function fromV1Template({ metadata, spec }: V1Service['spec']['template'], ofService: Annotations): RevisionTemplate {
  const annotations = metadata?.annotations ?? {}
  const refused = refusedAnnotations.find((key) => annotations[key] !== undefined || ofService[key] !== undefined)
  if (refused !== undefined) throw unimplemented(`the annotation ${refused}`)
  refuseUnknownAnnotations(annotations, 'Revision', knownAnnotations)
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
    sessionAffinity: readFlag(annotations, `${run}sessionAffinity`) === true,
    healthCheckDisabled: readFlag(annotations, `${run}health-check-disabled`) === true,
    scaling: { minInstanceCount: min ?? 0, maxInstanceCount: max ?? 0 },
    ...(spec.timeoutSeconds && { timeout: { seconds: BigInt(spec.timeoutSeconds), nanos: 0 } }),
    ...(vpcAccess !== undefined && { vpcAccess }),
    ...(accelerator !== undefined && { nodeSelector: { accelerator } }),
  })
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
    [minScale]: toCount(template.scaling?.minInstanceCount),
    [maxScale]: toCount(template.scaling?.maxInstanceCount),
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

/** `us-docker.pkg.dev/p/hello:1` is called `hello`: Cloud Run names a container without a name after it. */
function imageName(image: string): string {
  return (image.split('/').at(-1) ?? '').replace(/[:@].*$/, '').replaceAll(/[^a-z0-9-]/g, '-') || 'container'
}
