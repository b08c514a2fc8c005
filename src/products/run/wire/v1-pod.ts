import { create } from '@bufbuild/protobuf'
import { ContainerSchema, VolumeSchema, type Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { run } from './v1-annotations.ts'
import { secretAlias, type Pod } from './v1-pod-annotations.ts'
import { readProbes, writeProbe } from './v1-probes.ts'
import { present, type V1Pod } from './v1-schema.ts'
import { readVolume, writeVolume } from './v1-volumes.ts'

/** The fields of a template that version 1 has in its spec; the rest is in annotations, which are read into the template afterwards. */
export function readPod({ containers, volumes, serviceAccountName, nodeSelector }: V1Pod) {
  const accelerator = nodeSelector?.[`${run}accelerator`]
  return {
    containers: (containers ?? []).map(readContainer),
    volumes: (volumes ?? []).map((volume) => create(VolumeSchema, { name: volume.name, volumeType: readVolume(volume) })),
    serviceAccount: serviceAccountName ?? '',
    ...(accelerator !== undefined && { nodeSelector: { accelerator } }),
  }
}

/** The way back. */
export function writePod({ containers, volumes, serviceAccount }: Pod): Record<string, unknown> {
  const sqlNames = new Set(volumes.filter(({ volumeType }) => volumeType.case === 'cloudSqlInstance').map(({ name }) => name))
  return present({
    serviceAccountName: serviceAccount,
    containers: containers.map((container) => writeContainer(container, sqlNames)),
    volumes: volumes.filter(({ name }) => !sqlNames.has(name)).map(writeVolume),
  })
}

function readContainer(container: NonNullable<V1Pod['containers']>[number]): Container {
  return create(ContainerSchema, {
    name: container.name ?? '',
    image: container.image ?? '',
    command: container.command ?? [],
    args: container.args ?? [],
    workingDir: container.workingDir ?? '',
    env: (container.env ?? []).map(({ name, value, valueFrom }) => {
      const ref = valueFrom?.secretKeyRef
      if (ref === undefined || ref === null) return { name, values: { case: 'value' as const, value: value ?? '' } }
      const secretKeyRef = { secret: ref.name ?? '', version: ref.key ?? '' }
      return { name, values: { case: 'valueSource' as const, value: { secretKeyRef } } }
    }),
    ports: (container.ports ?? []).map((port) => ({ name: port.name ?? '', containerPort: port.containerPort ?? 0 })),
    resources: { limits: { ...container.resources?.limits }, cpuIdle: true },
    volumeMounts: (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => ({ name, mountPath, subPath: subPath ?? '' })),
    ...readProbes(container),
  })
}

function writeContainer(container: Container, sqlNames: ReadonlySet<string>): Record<string, unknown> {
  const { name, image, command, args, workingDir, startupProbe, livenessProbe, readinessProbe } = container
  return present({
    name,
    image,
    command,
    args,
    workingDir,
    env: container.env.map(({ name: variable, values }) => {
      if (values.case !== 'valueSource') return { name: variable, ...(values.value ? { value: values.value } : {}) }
      const { secret = '', version = '' } = values.value.secretKeyRef ?? {}
      return { name: variable, valueFrom: { secretKeyRef: { name: secretAlias(secret), key: version || 'latest' } } }
    }),
    ports: container.ports.map((port) => ({ name: port.name || 'http1', containerPort: port.containerPort })),
    resources: present({ limits: container.resources?.limits }),
    volumeMounts: container.volumeMounts
      .filter((mount) => !sqlNames.has(mount.name))
      .map(({ name: volume, mountPath, subPath }) => present({ name: volume, mountPath, subPath })),
    startupProbe: writeProbe(startupProbe),
    livenessProbe: writeProbe(livenessProbe),
    readinessProbe: writeProbe(readinessProbe),
  })
}
