import type { WantedEnv, WantedService } from '../config/wanted.ts'

/** What Cloud Run's v2 API takes for a wanted service, as its JSON. Pure. */
export function toRunService(wanted: WantedService, image: string): Record<string, unknown> {
  const sql = wanted.cloudSqlInstances.length > 0 ? [{ name: 'cloudsql', cloudSqlInstance: { instances: wanted.cloudSqlInstances } }] : []
  const secrets = wanted.secretVolumes.map(({ secret, items }, index) => ({ name: `secret-${index}`, secret: { secret, items } }))
  return {
    template: {
      ...(wanted.serviceAccount !== undefined && { serviceAccount: wanted.serviceAccount }),
      timeout: `${wanted.timeoutSeconds}s`,
      maxInstanceRequestConcurrency: wanted.concurrency,
      scaling: { minInstanceCount: wanted.minInstances, maxInstanceCount: wanted.maxInstances },
      containers: [
        {
          image,
          ...(wanted.command !== undefined && { command: wanted.command }),
          ...(wanted.args !== undefined && { args: wanted.args }),
          env: Object.entries(wanted.env).map(([name, value]) => ({ name, ...toValue(value) })),
          ports: [{ name: 'http1', containerPort: wanted.port }],
          resources: {
            limits: { cpu: `${Math.round(wanted.cpus * 1000)}m`, memory: `${Math.ceil(wanted.memoryBytes / 2 ** 20)}Mi` },
            cpuIdle: true,
          },
          ...wanted.probes,
          volumeMounts: [
            ...(sql.length > 0 ? [{ name: 'cloudsql', mountPath: '/cloudsql' }] : []),
            ...wanted.secretVolumes.map(({ mountPath }, index) => ({ name: `secret-${index}`, mountPath })),
          ],
        },
      ],
      volumes: [...sql, ...secrets],
    },
  }
}

function toValue(value: WantedEnv): Record<string, unknown> {
  return 'value' in value ? { value: value.value } : { valueSource: { secretKeyRef: { secret: value.secret, version: value.version } } }
}
