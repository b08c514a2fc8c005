import { z } from 'zod'
import { reservedEnv } from '../defaults.ts'
import { itemPathRule, mountRule } from './service-schema.ts'
import { rules } from '../../../config/ids.ts'
import { readCpu, readMemory } from './quantities.ts'
import { strict, text, whole } from '../../../config/schema-parts.ts'

const digits = z.union([whole(0, 1000), z.string().regex(/^\d{1,4}$/, { error: 'a whole number from 0 to 1000' })])

const port = whole(1, 65_535)

const isReserved = (name: string) => (reservedEnv.service as readonly string[]).includes(name)

const env = z
  .looseObject({
    name: text(rules.env).refine((name) => !isReserved(name), { error: 'another name: Cloud Run sets this one itself' }),
    value: z.string().nullish(),
    valueFrom: z
      .looseObject({
        secretKeyRef: z.looseObject({ name: text(rules.secret), key: z.union([text(rules.version), whole(1, 999_999_999)]) }),
      })
      .optional(),
  })
  .refine(({ value, valueFrom }) => valueFrom === undefined || value === undefined || value === null, {
    error: 'value or valueFrom, not both',
  })

/** Bounds: cloud.google.com/run/docs/configuring/healthchecks. */
const probe = strict({
  initialDelaySeconds: whole(0, 240).optional(),
  timeoutSeconds: whole(1, 3600).optional(),
  periodSeconds: whole(1, 3600).optional(),
  failureThreshold: whole(1, 1000).optional(),
  successThreshold: whole(1, 1000).optional(),
  tcpSocket: strict({ port: port.optional() }).optional(),
  httpGet: z
    .strictObject({
      path: z.string().optional(),
      port: port.optional(),
      scheme: z.literal('HTTP', { error: 'HTTP: inside an instance there is no TLS' }).optional(),
      httpHeaders: z.array(strict({ name: z.string(), value: z.string().optional() })).optional(),
    })
    .transform(({ scheme: _scheme, ...get }) => get)
    .optional(),
  grpc: strict({ port: port.optional(), service: z.string().optional() }).optional(),
}).refine(({ tcpSocket, httpGet, grpc }) => [tcpSocket, httpGet, grpc].filter((kind) => kind !== undefined).length <= 1, {
  error: 'one of tcpSocket, httpGet and grpc',
})

export const container = z.looseObject({
  name: z.string().optional(),
  image: z.string().optional(),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z.array(env).nullish(),
  envFrom: z.undefined({ error: 'each variable under env: envFrom is not emulated' }).optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.enum(['http1', 'h2c'], { error: 'http1 or h2c' }).optional(),
        containerPort: port.optional(),
      }),
    )
    .max(1, { error: 'one port' })
    .nullish(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z
    .looseObject({
      limits: z
        .looseObject({
          cpu: z
            .union([z.number(), z.string()])
            .refine((value) => readCpu(value) !== undefined, { error: '0.08 to 8 CPUs, such as 1 or 500m' })
            .optional(),
          memory: z
            .string()
            .refine((value) => readMemory(value) !== undefined, { error: '128Mi to 32Gi, such as 512Mi or 1Gi' })
            .optional(),
        })
        .nullish(),
    })
    .nullish(),
  volumeMounts: z
    .array(
      z.looseObject({
        name: z.string(),
        mountPath: text(mountRule),
        subPath: z.undefined({ error: 'no subPath: it is not emulated' }).optional(),
      }),
    )
    .nullish(),
})

export const secretVolume = z.looseObject({
  secretName: text(rules.secret),
  items: z.array(z.looseObject({ key: z.union([text(rules.version), whole(1, 999_999_999)]), path: text(itemPathRule) })).nullish(),
})

const memory = z.looseObject({
  medium: z.literal('Memory', { error: 'Memory: other media are not emulated' }).optional(),
  sizeLimit: z
    .string()
    .regex(/^\d+([KMG]i?)?$/, { error: 'an amount such as 64Mi' })
    .optional(),
})

/** A Cloud Storage volume: cloud.google.com/run/docs/configuring/services/cloud-storage-volume-mounts. */
const bucket = z.looseObject({
  driver: z.literal('gcsfuse.run.googleapis.com', { error: 'gcsfuse.run.googleapis.com: other drivers are not emulated' }),
  readOnly: z.boolean().optional(),
  volumeAttributes: z.looseObject({ bucketName: z.string(), mountOptions: z.string().optional() }),
})

const spec = z.looseObject({
  containerConcurrency: whole(0, 1000).nullish(),
  timeoutSeconds: whole(1, 3600).nullish(),
  serviceAccountName: z.string().nullish(),
  containers: z.array(container).min(1, { error: 'a container' }).max(10, { error: 'at most 10 containers' }),
  volumes: z
    .array(z.looseObject({ name: z.string(), secret: secretVolume.optional(), emptyDir: memory.optional(), csi: bucket.optional() }))
    .nullish(),
})

/** `{"proxy":["app"]}`: the proxy starts once the app has. */
const dependencies = z.string().transform((value, context): Readonly<Record<string, readonly string[]>> => {
  try {
    return z.record(z.string(), z.array(z.string())).parse(JSON.parse(value))
  } catch {
    context.addIssue({ code: 'custom', message: 'JSON such as {"proxy":["app"]}' })
    return z.NEVER
  }
})

const flag = z.enum(['true', 'false'], { error: "'true' or 'false', as a string" })

const templateAnnotations = z.looseObject({
  'autoscaling.knative.dev/minScale': digits.optional(),
  'autoscaling.knative.dev/maxScale': digits.optional(),
  'run.googleapis.com/cloudsql-instances': z.string().optional(),
  'run.googleapis.com/secrets': z.string().optional(),
  'run.googleapis.com/container-dependencies': dependencies.optional(),
  'run.googleapis.com/cpu-throttling': flag.optional(),
  'run.googleapis.com/startup-cpu-boost': flag.optional(),
  'run.googleapis.com/sessionAffinity': flag.optional(),
})

/** The part that is read of a Knative Service as Cloud Run exports it. Other keys are Cloud Run's own and are let through. */
export const knativeSchema = z.looseObject({
  metadata: z.looseObject({
    name: text(rules.service),
    namespace: z.union([z.string(), z.number()]).nullish(),
    labels: z.record(z.string(), z.unknown()).nullish(),
    annotations: z
      .looseObject({ 'run.googleapis.com/minScale': digits.optional(), 'run.googleapis.com/maxScale': digits.optional() })
      .nullish(),
  }),
  spec: z.looseObject({
    template: z.looseObject({ metadata: z.looseObject({ annotations: templateAnnotations.nullish() }).nullish(), spec }),
  }),
})

export type KnativeService = z.infer<typeof knativeSchema>
