import { create } from '@bufbuild/protobuf'
import { ContainerSchema, VolumeSchema, type Container, type Volume } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import {
  ExecutionEnvironment,
  VpcAccess_VpcEgress,
  VpcAccessSchema,
  type VpcAccess,
} from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { readFlag, readWord } from './v1-annotations.ts'
import { toProbe, probesOf } from './v1-probes.ts'
import { present, type V1Pod } from './v1-schema.ts'
import { fromVolume, toVolume } from './v1-volumes.ts'

/** What a template of a revision or of a task is, over both versions of the API. Version 1 keeps half of it in annotations. */
export interface PodParts {
  readonly containers: Container[]
  readonly volumes: Volume[]
  readonly serviceAccount: string
  readonly executionEnvironment: ExecutionEnvironment
  readonly encryptionKey: string
  readonly vpcAccess: VpcAccess | undefined
}

type Annotations = Readonly<Record<string, string>>

const run = 'run.googleapis.com/'
const sqlVolume = 'cloudsql'

/** The annotations that `fromPod` reads and `toPod` writes; others are a template's own. */
export const podAnnotations = new Set(
  [
    'cloudsql-instances',
    'secrets',
    'cpu-throttling',
    'startup-cpu-boost',
    'execution-environment',
    'container-dependencies',
    'vpc-access-connector',
    'vpc-access-egress',
    'network-interfaces',
    'encryption-key',
  ].map((name) => run + name),
)

/** @throws CloudError INVALID_ARGUMENT for an annotation that is not readable */
export function fromPod(pod: V1Pod, annotations: Annotations): PodParts {
  const aliases = readAliases(annotations[`${run}secrets`] ?? '')
  const dependencies = readJson(annotations, 'container-dependencies') as Readonly<Record<string, readonly string[]>> | undefined
  const sql = (annotations[`${run}cloudsql-instances`] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const secretName = (name: string | null | undefined) => aliases.get(name ?? '') ?? name ?? ''
  const containers = (pod.containers ?? []).map((container) =>
    create(ContainerSchema, {
      name: container.name ?? '',
      image: container.image ?? '',
      command: container.command ?? [],
      args: container.args ?? [],
      workingDir: container.workingDir ?? '',
      env: (container.env ?? []).map(({ name, value, valueFrom }) => {
        const ref = valueFrom?.secretKeyRef
        if (ref === undefined || ref === null) return { name, values: { case: 'value' as const, value: value ?? '' } }
        const secretKeyRef = { secret: secretName(ref.name), version: ref.key ?? '' }
        return { name, values: { case: 'valueSource' as const, value: { secretKeyRef } } }
      }),
      ports: (container.ports ?? []).map((port) => ({ name: port.name ?? '', containerPort: port.containerPort ?? 0 })),
      resources: {
        limits: { ...container.resources?.limits },
        cpuIdle: readFlag(annotations, `${run}cpu-throttling`) !== false,
        startupCpuBoost: readFlag(annotations, `${run}startup-cpu-boost`) === true,
      },
      volumeMounts: [
        ...(container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => ({ name, mountPath, subPath: subPath ?? '' })),
        ...(sql.length > 0 ? [{ name: sqlVolume, mountPath: '/cloudsql' }] : []),
      ],
      dependsOn: [...(dependencies?.[container.name ?? ''] ?? [])],
      ...probesOf(container),
    }),
  )
  const volumes = (pod.volumes ?? []).map((volume) =>
    create(VolumeSchema, { name: volume.name, volumeType: fromVolume(volume, secretName) }),
  )
  if (sql.length > 0)
    volumes.push(create(VolumeSchema, { name: sqlVolume, volumeType: { case: 'cloudSqlInstance', value: { instances: sql } } }))
  return {
    containers,
    volumes,
    serviceAccount: pod.serviceAccountName ?? '',
    executionEnvironment: readWord(annotations, `${run}execution-environment`, environments) ?? ExecutionEnvironment.UNSPECIFIED,
    encryptionKey: annotations[`${run}encryption-key`] ?? '',
    vpcAccess: fromVpc(annotations),
  }
}

/** The way back. `annotations` has only those of `podAnnotations`. */
export function toPod(parts: PodParts): { readonly spec: Record<string, unknown>; readonly annotations: Record<string, string> } {
  const sqlVolumes = parts.volumes.filter(({ volumeType }) => volumeType.case === 'cloudSqlInstance')
  const sqlNames = new Set(sqlVolumes.map(({ name }) => name))
  const instances = sqlVolumes.flatMap(({ volumeType }) => (volumeType.case === 'cloudSqlInstance' ? volumeType.value.instances : []))
  const aliases = new Map<string, string>()
  const alias = (secret: string) => {
    if (!secret.startsWith('projects/')) return secret
    const id = secret.split('/').at(-1) ?? secret
    aliases.set(id, secret)
    return id
  }
  const containers = parts.containers.map((container) =>
    present({
      name: container.name,
      image: container.image,
      command: container.command,
      args: container.args,
      workingDir: container.workingDir,
      env: container.env.map(({ name, values }) => {
        if (values.case !== 'valueSource') return { name, ...(values.value ? { value: values.value } : {}) }
        const ref = values.value.secretKeyRef
        return { name, valueFrom: { secretKeyRef: { name: alias(ref?.secret ?? ''), key: ref?.version || 'latest' } } }
      }),
      ports: container.ports.map(({ name, containerPort }) => ({ name: name || 'http1', containerPort })),
      resources: present({ limits: container.resources?.limits }),
      volumeMounts: container.volumeMounts
        .filter(({ name }) => !sqlNames.has(name))
        .map(({ name, mountPath, subPath }) => present({ name, mountPath, subPath })),
      startupProbe: toProbe(container.startupProbe),
      livenessProbe: toProbe(container.livenessProbe),
      readinessProbe: toProbe(container.readinessProbe),
    }),
  )
  const volumes = parts.volumes.filter(({ name }) => !sqlNames.has(name)).map((volume) => toVolume(volume, alias))
  const depending = parts.containers.filter(({ dependsOn }) => dependsOn.length > 0)
  const dependencies = Object.fromEntries(depending.map(({ name, dependsOn }) => [name, dependsOn]))
  const isAlwaysOn = parts.containers.some(({ resources }) => resources?.cpuIdle === false)
  const isBoosted = parts.containers.some(({ resources }) => resources?.startupCpuBoost === true)
  const environment = Object.entries(environments).find(([, value]) => value === parts.executionEnvironment)?.[0]
  const annotations = {
    'cloudsql-instances': instances.join(','),
    secrets: [...aliases].map(([id, name]) => `${id}:${name}`).join(','),
    'cpu-throttling': isAlwaysOn ? 'false' : '',
    'startup-cpu-boost': isBoosted ? 'true' : '',
    'execution-environment': environment ?? '',
    'container-dependencies': depending.length === 0 ? '' : JSON.stringify(dependencies),
    'encryption-key': parts.encryptionKey,
    ...toVpc(parts.vpcAccess),
  }
  return {
    spec: present({ serviceAccountName: parts.serviceAccount, containers, volumes }),
    annotations: Object.fromEntries(Object.entries(annotations).flatMap(([name, value]) => (value === '' ? [] : [[run + name, value]]))),
  }
}

const environments: Readonly<Record<string, ExecutionEnvironment>> = { gen1: ExecutionEnvironment.GEN1, gen2: ExecutionEnvironment.GEN2 }

/** `ALIAS:projects/NUMBER/secrets/ID,...`: how version 1 names secrets of other projects. */
function readAliases(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes(':'))
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf(':')).trim(), pair.slice(pair.indexOf(':') + 1).trim()]))
}

function readJson(annotations: Annotations, name: string): unknown {
  const text = annotations[run + name]
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CloudError('INVALID_ARGUMENT', `metadata.annotations[${run}${name}]: is not JSON.`, 'Correct the annotation.', {
      cause: error,
    })
  }
}

const egresses: Readonly<Record<string, VpcAccess_VpcEgress>> = {
  'all-traffic': VpcAccess_VpcEgress.ALL_TRAFFIC,
  all: VpcAccess_VpcEgress.ALL_TRAFFIC,
  'private-ranges-only': VpcAccess_VpcEgress.PRIVATE_RANGES_ONLY,
}

function fromVpc(annotations: Annotations): VpcAccess | undefined {
  const connector = annotations[`${run}vpc-access-connector`] ?? ''
  const interfaces = readJson(annotations, 'network-interfaces')
  const egress = readWord(annotations, `${run}vpc-access-egress`, egresses)
  if (connector === '' && interfaces === undefined && egress === undefined) return undefined
  return create(VpcAccessSchema, {
    connector,
    egress: egress ?? VpcAccess_VpcEgress.VPC_EGRESS_UNSPECIFIED,
    networkInterfaces: Array.isArray(interfaces) ? interfaces : [],
  })
}

function toVpc(vpc: VpcAccess | undefined): Readonly<Record<string, string>> {
  if (vpc === undefined) return {}
  const interfaces = vpc.networkInterfaces.map(({ network, subnetwork, tags }) => present({ network, subnetwork, tags }))
  return {
    'vpc-access-connector': vpc.connector,
    'vpc-access-egress': ['', 'all-traffic', 'private-ranges-only'][vpc.egress] ?? '',
    'network-interfaces': interfaces.length === 0 ? '' : JSON.stringify(interfaces),
  }
}
