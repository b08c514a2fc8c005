import type { WantedContainer, WantedEnv, WantedService, WantedSidecar } from './wanted-run.ts'
import { idleAnnotation } from '../instances/idle-limit.ts'

/** What Cloud Run's v2 API takes for a wanted service, as its JSON. Pure. */
export function toRunService(wanted: WantedService, image: string): Record<string, unknown> {
  const { container, ...template } = toRunContainer(wanted, image)
  return {
    ...(wanted.idleSeconds !== undefined && { annotations: { [idleAnnotation]: String(wanted.idleSeconds) } }),
    template: {
      ...template,
      volumes: [...template.volumes, ...(wanted.volumes ?? [])],
      timeout: `${wanted.timeoutSeconds}s`,
      maxInstanceRequestConcurrency: wanted.concurrency,
      sessionAffinity: wanted.sessionAffinity ?? false,
      scaling: { minInstanceCount: wanted.minInstances, maxInstanceCount: wanted.maxInstances },
      containers: [
        {
          ...container,
          ...toProbes(wanted.probes),
          ...(wanted.containerName !== undefined && { name: wanted.containerName }),
          dependsOn: wanted.dependsOn ?? [],
          volumeMounts: [...container.volumeMounts, ...(wanted.volumeMounts ?? [])],
          ports: [{ name: wanted.protocol ?? 'http1', containerPort: wanted.port }],
          resources: {
            ...container.resources,
            cpuIdle: wanted.cpuIdle ?? true,
            startupCpuBoost: wanted.startupCpuBoost ?? false,
          },
        },
        ...(wanted.sidecars ?? []).map((sidecar) => toSidecar(sidecar, wanted.cpuIdle ?? true)),
      ],
    },
  }
}

/** The container of a service or a job, and what its template has for it. */
export function toRunContainer(wanted: WantedContainer, image: string) {
  const sql = wanted.cloudSqlInstances.length > 0 ? [{ name: 'cloudsql', cloudSqlInstance: { instances: wanted.cloudSqlInstances } }] : []
  const secrets = wanted.secretVolumes.map(({ secret, items }, index) => ({ name: `secret-${index}`, secret: { secret, items } }))
  return {
    ...(wanted.serviceAccount !== undefined && { serviceAccount: wanted.serviceAccount }),
    volumes: [...sql, ...secrets],
    container: {
      image,
      ...(wanted.command !== undefined && { command: wanted.command }),
      ...(wanted.args !== undefined && { args: wanted.args }),
      env: toEnv(wanted.env),
      resources: toResources(wanted.cpus, wanted.memoryBytes),
      volumeMounts: [
        ...(sql.length > 0 ? [{ name: 'cloudsql', mountPath: '/cloudsql' }] : []),
        ...wanted.secretVolumes.map(({ mountPath }, index) => ({ name: `secret-${index}`, mountPath })),
      ],
    },
  }
}

function toSidecar({ cpus, memoryBytes, probes, env, ...rest }: WantedSidecar, cpuIdle: boolean): Record<string, unknown> {
  return { ...rest, ...toProbes(probes), env: toEnv(env), resources: { ...toResources(cpus, memoryBytes), cpuIdle } }
}

function toEnv(env: Readonly<Record<string, WantedEnv>>) {
  return Object.entries(env).map(([name, value]) => ({ name, ...toValue(value) }))
}

function toResources(cpus: number, memoryBytes: number) {
  return { limits: { cpu: `${Math.round(cpus * 1000)}m`, memory: `${Math.ceil(memoryBytes / 2 ** 20)}Mi` } }
}

/** successThreshold is Knative's alone: in version 2 it is 1, and 2 for readiness. */
function toProbes(probes: WantedService['probes'] = {}): Record<string, unknown> {
  const entries = Object.entries(probes).map(([name, { successThreshold: _fixed, ...probe }]) => [name, probe] as const)
  return Object.fromEntries(entries)
}

function toValue(value: WantedEnv): Record<string, unknown> {
  return 'value' in value ? { value: value.value } : { valueSource: { secretKeyRef: { secret: value.secret, version: value.version } } }
}
