import { given } from '../../../config/given.ts'
import { posix } from 'node:path'
import { rules } from '../../../config/ids.ts'
import { knativeSchema, type KnativeService } from './knative-schema.ts'
import type { Problems } from '../../../config/problems.ts'
import type { ProjectFiles } from '../../../config/project-files.ts'
import { readYaml, type YamlDocument } from '../../../config/read-yaml.ts'
import { readAliases, readContainer, toProbes } from './knative-values.ts'
import { ingressIndex, readBeside } from './read-sidecars.ts'
import { readBySchema } from '../../../config/schema-issues.ts'
import type { ServicePart } from './service-part.ts'

/** A service of a service.yaml, with what the file says of the project. */
export interface KnativePart {
  readonly part: ServicePart
  readonly project?: string
  readonly region?: string
}

const sqlKey = 'run.googleapis.com/cloudsql-instances'
const templatePath = ['spec', 'template', 'spec']

/** Reads the Knative Services of `dir`/service.yaml. Documents of other kinds, such as Kubernetes' own Service, are let be. */
export async function readKnative(files: ProjectFiles, dir: string, problems: Problems): Promise<readonly KnativePart[]> {
  const file = posix.join(dir, 'service.yaml')
  const text = await files.text(file)
  if (text === undefined) return []
  return readYaml(text, file, problems).flatMap((document) => {
    if (!isKnative(document.value)) return []
    const service = readBySchema(knativeSchema, document, problems)
    if (service === undefined) return []
    const found = toPart(service, dir, document, problems)
    return [{ ...found, part: { ...found.part, manifest: { value: document.value, file, text } } }]
  })
}

function isKnative(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('apiVersion' in value) || !('kind' in value)) return false
  return value.apiVersion === 'serving.knative.dev/v1' && value.kind === 'Service'
}

function toPart(service: KnativeService, dir: string, document: YamlDocument, problems: Problems): KnativePart {
  const { metadata, spec } = service
  const { template } = spec
  const ingress = ingressIndex(template.spec, templatePath, document, problems)
  const container = template.spec.containers[ingress]
  const annotations = template.metadata?.annotations ?? {}
  const aliases = readAliases(annotations['run.googleapis.com/secrets'] ?? '')
  const sqlPlace = document.placeOf(['spec', 'template', 'metadata', 'annotations', sqlKey])
  const sql = (annotations[sqlKey] ?? '').split(',').map((name) => name.trim())
  const instances = sql.filter((name) => name !== '').map((name) => ({ name, place: sqlPlace }))
  const min = annotations['autoscaling.knative.dev/minScale'] ?? metadata.annotations?.['run.googleapis.com/minScale']
  const max = annotations['autoscaling.knative.dev/maxScale'] ?? metadata.annotations?.['run.googleapis.com/maxScale']
  const part: ServicePart = {
    id: metadata.name,
    from: document.placeOf(['metadata', 'name']),
    dir,
    ...readContainer(container, aliases),
    ...given({
      port: container?.ports?.[0]?.containerPort,
      protocol: container?.ports?.[0]?.name,
      cpuIdle: flagOf(annotations['run.googleapis.com/cpu-throttling']),
      startupCpuBoost: flagOf(annotations['run.googleapis.com/startup-cpu-boost']),
      sessionAffinity: flagOf(annotations['run.googleapis.com/sessionAffinity']),
      concurrency: template.spec.containerConcurrency || undefined, // 0 is "the default" in Knative
      minInstances: min === undefined ? undefined : Number(min),
      maxInstances: max === undefined ? undefined : Number(max) || undefined,
      timeoutSeconds: template.spec.timeoutSeconds ?? undefined,
      instances: instances.length === 0 ? undefined : instances,
      secretVolumes: toVolumes(template.spec, templatePath, aliases, document, problems, ingress),
      ...readBeside(template.spec, ingress, annotations, aliases, templatePath, document, problems),
      probes: toProbes(container),
      serviceAccount: template.spec.serviceAccountName || undefined,
    }),
  }
  return { part, ...given({ project: projectOf(service, template.spec.containers, sql), region: regionOf(service, sql) }) }
}

function flagOf(text: 'true' | 'false' | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'true'
}

/** @param path of `spec` in the document */
export function toVolumes(
  spec: Pick<KnativeService['spec']['template']['spec'], 'containers' | 'volumes'>,
  path: readonly PropertyKey[],
  aliases: ReadonlyMap<string, string>,
  document: YamlDocument,
  problems: Problems,
  ingress = 0,
): ServicePart['secretVolumes'] {
  const { containers, volumes } = spec
  for (const [index, volume] of (volumes ?? []).entries()) {
    if (volume.secret !== undefined || volume.emptyDir !== undefined || volume.csi !== undefined) continue
    problems.add(
      document.placeOf([...path, 'volumes', index]),
      `the volume "${volume.name}" is of a kind that is not emulated; write secret, emptyDir or csi`,
    )
  }
  const mounts = containers[ingress]?.volumeMounts ?? []
  const found = mounts.flatMap(({ name, mountPath }, index) => {
    const volume = volumes?.find((one) => one.name === name)
    const place = document.placeOf([...path, 'containers', ingress, 'volumeMounts', index])
    if (mounts.findIndex((other) => other.mountPath === mountPath) !== index)
      problems.add(place, `${mountPath} is mounted already; write another mountPath`)
    if (volume === undefined) problems.add(place, `there is no volume "${name}"; write it under volumes`)
    if (volume?.secret === undefined) return []
    const { secretName, items } = volume.secret
    const secret = aliases.get(secretName) ?? secretName
    const all = items?.length ? items.map(({ key, path }) => ({ path, version: String(key) })) : [{ path: secretName, version: 'latest' }]
    return [{ mountPath, secret, items: all }]
  })
  return found.length === 0 ? undefined : found
}

/** The namespace is the project's id, or, as exported, its number; then a Cloud SQL connection or the environment may tell. */
export function projectOf(
  { metadata }: Pick<KnativeService, 'metadata'>,
  containers: KnativeService['spec']['template']['spec']['containers'],
  sql: readonly string[],
): string | undefined {
  const env = containers[0]?.env?.find(({ name }) => name === 'GOOGLE_CLOUD_PROJECT')?.value
  return [metadata.namespace, env, sql[0]?.split(':').at(-3)].map(String).find((id) => rules.project.pattern.test(id) && id !== 'undefined')
}

export function regionOf({ metadata }: Pick<KnativeService, 'metadata'>, sql: readonly string[]): string | undefined {
  const label = metadata.labels?.['cloud.googleapis.com/location']
  return [label, sql[0]?.split(':').at(-2)].map(String).find((region) => rules.region.pattern.test(region))
}
