import { given } from '../../../config/given.ts'
import type { KnativeService } from './knative-schema.ts'
import type { Problems } from '../../../config/problems.ts'
import { defaultCpus, defaultMemoryBytes } from '../defaults.ts'
import { readContainer, toProbes } from './knative-values.ts'
import type { YamlDocument } from '../../../config/read-yaml.ts'
import type { WantedService } from './wanted-run.ts'

type Spec = KnativeService['spec']['template']['spec']
type TemplateAnnotations = NonNullable<NonNullable<KnativeService['spec']['template']['metadata']>['annotations']>
type Container = Spec['containers'][number]

/** What a template has beside the container that serves: the parts of WantedService of the same names. */
export type Beside = Pick<WantedService, 'containerName' | 'dependsOn' | 'sidecars' | 'volumes' | 'volumeMounts'>

/** Which container serves: the one with a port, or the only one. Beside sidecars exactly one may have a port, which is told. */
export function ingressIndex({ containers }: Spec, path: readonly PropertyKey[], document: YamlDocument, problems: Problems): number {
  const serving = containers.flatMap((container, index) => (container.ports?.length ? [index] : []))
  if (containers.length > 1 && serving.length !== 1)
    problems.add(
      document.placeOf([...path, 'containers']),
      'beside sidecars exactly one container has ports; write ports for the one that serves',
    )
  return serving[0] ?? 0
}

/** @param ingress the index of the container that serves; its secret volumes are read elsewhere */
export function readBeside(
  spec: Spec,
  ingress: number,
  annotations: Pick<TemplateAnnotations, 'run.googleapis.com/container-dependencies'>,
  aliases: ReadonlyMap<string, string>,
  path: readonly PropertyKey[],
  document: YamlDocument,
  problems: Problems,
): Beside {
  const { containers } = spec
  const dependencies = annotations['run.googleapis.com/container-dependencies'] ?? {}
  const sidecars = containers.flatMap((container, index) => {
    if (index === ingress) return []
    const place = document.placeOf([...path, 'containers', index])
    if (container.image === undefined || container.name === undefined) {
      problems.add(place, 'a sidecar needs a name and an image; write both')
      return []
    }
    return [
      {
        cpus: defaultCpus,
        memoryBytes: defaultMemoryBytes,
        ...readContainer(container, aliases),
        name: container.name,
        image: container.image,
        dependsOn: dependencies[container.name] ?? [],
        volumeMounts: mountsOf(container),
        ...given({ probes: toProbes(container) }),
      },
    ]
  })
  const serving = containers[ingress]
  const secretNames = new Set((spec.volumes ?? []).filter(({ secret }) => secret !== undefined).map(({ name }) => name))
  const own = serving === undefined ? [] : mountsOf(serving).filter(({ name }) => !secretNames.has(name))
  const used = new Set([...own, ...sidecars.flatMap(({ volumeMounts }) => volumeMounts)].map(({ name }) => name))
  const volumes = (spec.volumes ?? [])
    .filter(({ name }) => used.has(name))
    .map((volume) => ({ name: volume.name, ...toSource(volume, aliases) }))
  return given({
    containerName: sidecars.length > 0 ? serving?.name : undefined,
    dependsOn: serving?.name === undefined ? undefined : dependencies[serving.name],
    sidecars: sidecars.length > 0 ? sidecars : undefined,
    volumes: volumes.length > 0 ? volumes : undefined,
    volumeMounts: own.length > 0 ? own : undefined,
  })
}

function mountsOf(container: Container): readonly { readonly name: string; readonly mountPath: string }[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath }) => ({ name, mountPath }))
}

/** A volume as version 2 of the API writes it. */
function toSource(
  { secret, emptyDir, csi }: NonNullable<Spec['volumes']>[number],
  aliases: ReadonlyMap<string, string>,
): Record<string, unknown> {
  if (secret !== undefined) {
    const items = secret.items?.map(({ key, path }) => ({ path, version: String(key) })) ?? []
    return { secret: { secret: aliases.get(secret.secretName) ?? secret.secretName, items } }
  }
  if (csi !== undefined) {
    const { bucketName, mountOptions } = csi.volumeAttributes
    const options = mountOptions === undefined ? [] : mountOptions.split(',')
    return { gcs: { bucket: bucketName, readOnly: csi.readOnly ?? false, mountOptions: options } }
  }
  return { emptyDir: { medium: 'MEMORY', ...given({ sizeLimit: emptyDir?.sizeLimit }) } }
}
