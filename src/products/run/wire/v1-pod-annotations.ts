import { create } from '@bufbuild/protobuf'
import { VolumeMountSchema, VolumeSchema, type Container, type Volume } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import {
  ExecutionEnvironment,
  VpcAccess_VpcEgress,
  VpcAccessSchema,
  type VpcAccess,
} from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { readFlag, readJson, readWord, run, textField, wordOf, type Annotation } from './v1-annotations.ts'
import { present } from './v1-schema.ts'

/** What templates of revisions, tasks and worker pools have in common, over both versions of the API. */
export interface Pod {
  readonly containers: Container[]
  readonly volumes: Volume[]
  serviceAccount: string
  encryptionKey: string
  vpcAccess?: VpcAccess | undefined
}

/** The volume that the annotation of Cloud SQL instances becomes. */
const sqlVolume = 'cloudsql'

const egresses: Readonly<Record<string, VpcAccess_VpcEgress>> = {
  'all-traffic': VpcAccess_VpcEgress.ALL_TRAFFIC,
  all: VpcAccess_VpcEgress.ALL_TRAFFIC,
  'private-ranges-only': VpcAccess_VpcEgress.PRIVATE_RANGES_ONLY,
}

const always: Annotation<Pod> = {
  key: `${run}cpu-throttling`,
  read: ({ containers }, text, field) => setResources(containers, { cpuIdle: readFlag(text, field) }),
  write: ({ containers }) => (containers.some(({ resources }) => resources?.cpuIdle === false) ? 'false' : ''),
}

/** Of every template; what runs to its end, or always, has its CPU always, and says nothing of it. */
export const podAnnotations: readonly Annotation<Pod>[] = [
  {
    key: `${run}cloudsql-instances`,
    read({ containers, volumes }, text) {
      const instances = text.split(',').map((name) => name.trim()).filter((name) => name !== '') // prettier-ignore
      if (instances.length === 0) return
      volumes.push(create(VolumeSchema, { name: sqlVolume, volumeType: { case: 'cloudSqlInstance', value: { instances } } }))
      for (const { volumeMounts } of containers) volumeMounts.push(create(VolumeMountSchema, { name: sqlVolume, mountPath: '/cloudsql' }))
    },
    write: ({ volumes }) =>
      volumes.flatMap(({ volumeType }) => (volumeType.case === 'cloudSqlInstance' ? volumeType.value.instances : [])).join(','),
  },
  {
    key: `${run}secrets`,
    read(pod, text) {
      const aliases = readAliases(text)
      for (const named of secretsOf(pod)) named.secret = aliases.get(named.secret) ?? named.secret
    },
    write: (pod) =>
      [...new Set(secretsOf(pod).map(({ secret }) => secret))]
        .filter((secret) => secret !== secretAlias(secret))
        .map((secret) => `${secretAlias(secret)}:${secret}`)
        .join(','),
  },
  { key: always.key, ...(always.read && { read: always.read }) },
  {
    key: `${run}startup-cpu-boost`,
    read: ({ containers }, text, field) => setResources(containers, { startupCpuBoost: readFlag(text, field) }),
    write: ({ containers }) => (containers.some(({ resources }) => resources?.startupCpuBoost === true) ? 'true' : ''),
  },
  {
    key: `${run}container-dependencies`,
    read({ containers }, text, field) {
      const dependencies = readJson(text, field) as Readonly<Record<string, readonly string[]>>
      for (const container of containers) container.dependsOn = [...(dependencies[container.name] ?? [])]
    },
    write({ containers }) {
      const depending = containers.filter(({ dependsOn }) => dependsOn.length > 0)
      return depending.length === 0 ? '' : JSON.stringify(Object.fromEntries(depending.map(({ name, dependsOn }) => [name, dependsOn])))
    },
  },
  textField(`${run}encryption-key`, 'encryptionKey'),
  {
    key: `${run}vpc-access-connector`,
    read: (into, text) => (vpcOf(into).connector = text),
    write: ({ vpcAccess }) => vpcAccess?.connector ?? '',
  },
  {
    key: `${run}vpc-access-egress`,
    read: (into, text, field) => (vpcOf(into).egress = readWord(text, field, egresses)),
    write: ({ vpcAccess }) => (vpcAccess === undefined ? '' : wordOf(egresses, vpcAccess.egress)),
  },
  {
    key: `${run}network-interfaces`,
    read(into, text, field) {
      const told = readJson(text, field)
      vpcOf(into).networkInterfaces = create(VpcAccessSchema, { networkInterfaces: Array.isArray(told) ? told : [] }).networkInterfaces
    },
    write({ vpcAccess }) {
      const told = vpcAccess?.networkInterfaces.map(({ network, subnetwork, tags }) => present({ network, subnetwork, tags })) ?? []
      return told.length === 0 ? '' : JSON.stringify(told)
    },
  },
]

/** Of services: whether the CPU is there between requests too. */
export const throttlingAnnotation = always

export const environments: Readonly<Record<string, ExecutionEnvironment>> = {
  gen1: ExecutionEnvironment.GEN1,
  gen2: ExecutionEnvironment.GEN2,
}

export const environmentAnnotation: Annotation<{ executionEnvironment: ExecutionEnvironment }> = {
  key: `${run}execution-environment`,
  read: (into, text, field) => (into.executionEnvironment = readWord(text, field, environments)),
  write: ({ executionEnvironment }) => wordOf(environments, executionEnvironment),
}

/** How version 1 calls a secret: one of another project by its id, which the annotation `secrets` tells the full name of. */
export function secretAlias(secret: string): string {
  return secret.startsWith('projects/') ? lastPart(secret) : secret
}

function secretsOf({ containers, volumes }: Pod): readonly { secret: string }[] {
  return [
    ...containers
      .flatMap(({ env }) => env)
      .flatMap(({ values }) =>
        values.case === 'valueSource' && values.value.secretKeyRef !== undefined ? [values.value.secretKeyRef] : [],
      ),
    ...volumes.flatMap(({ volumeType }) => (volumeType.case === 'secret' ? [volumeType.value] : [])),
  ]
}

/** `ALIAS:projects/NUMBER/secrets/ID,...` */
function readAliases(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes(':'))
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf(':')).trim(), pair.slice(pair.indexOf(':') + 1).trim()]))
}

function setResources(containers: readonly Container[], changed: { cpuIdle?: boolean; startupCpuBoost?: boolean }): void {
  for (const { resources } of containers) if (resources !== undefined) Object.assign(resources, changed)
}

function vpcOf(pod: Pod): VpcAccess {
  return (pod.vpcAccess ??= create(VpcAccessSchema))
}
