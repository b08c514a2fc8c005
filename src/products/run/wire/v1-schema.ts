import { z } from 'zod'
import { stringMap } from '../../../api/string-map.ts'
import { CloudError } from '../../../base/cloud-error.ts'

/** Kubernetes clients write null for what is absent. */
const text = z.string().nullish()
const number = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^-?\d+$/)
        .transform(Number),
    ],
    'must be a whole number',
  )
  .nullish()
const map = stringMap((value) => (['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined)).nullish()
const list = <T extends z.ZodType>(of: T) => z.array(of).nullish()

export const metaSchema = z.looseObject({
  name: text,
  namespace: z.union([z.string(), z.number()]).nullish(),
  labels: map,
  annotations: map,
  generation: number,
  resourceVersion: z.union([z.string(), z.number()]).transform(String).nullish(),
})

const probe = z
  .looseObject({
    initialDelaySeconds: number,
    timeoutSeconds: number,
    periodSeconds: number,
    failureThreshold: number,
    httpGet: z.looseObject({ path: text, port: number, httpHeaders: list(z.looseObject({ name: z.string(), value: text })) }).nullish(),
    tcpSocket: z.looseObject({ port: number }).nullish(),
    grpc: z.looseObject({ port: number, service: text }).nullish(),
  })
  .nullish()

const env = z.looseObject({
  name: z.string(),
  value: text,
  valueFrom: z
    .looseObject({
      secretKeyRef: z.looseObject({ name: text, key: z.union([z.string(), z.number()]).transform(String).nullish() }).nullish(),
    })
    .nullish(),
})

const container = z.looseObject({
  name: text,
  image: text,
  command: list(z.string()),
  args: list(z.string()),
  env: list(env),
  workingDir: text,
  ports: list(z.looseObject({ name: text, containerPort: number })),
  resources: z.looseObject({ limits: map }).nullish(),
  volumeMounts: list(z.looseObject({ name: z.string(), mountPath: z.string(), subPath: text })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
})

const items = list(z.looseObject({ key: z.union([z.string(), z.number()]).transform(String).nullish(), path: z.string(), mode: number }))

const volume = z.looseObject({
  name: z.string(),
  secret: z.looseObject({ secretName: text, items, defaultMode: number }).nullish(),
  emptyDir: z.looseObject({ medium: text, sizeLimit: text }).nullish(),
  nfs: z.looseObject({ server: z.string(), path: z.string(), readOnly: z.boolean().nullish() }).nullish(),
  csi: z.looseObject({ driver: text, readOnly: z.boolean().nullish(), volumeAttributes: map }).nullish(),
})

/** What templates of revisions and of tasks have in common. */
export const podSchema = z.looseObject({
  containers: list(container),
  volumes: list(volume),
  serviceAccountName: text,
  timeoutSeconds: number,
  nodeSelector: map,
  containerConcurrency: number,
  maxRetries: number,
})

const traffic = z.looseObject({
  percent: number,
  tag: text,
  revisionName: text,
  latestRevision: z.boolean().nullish(),
  configurationName: text,
})

export const serviceSchema = z.looseObject({
  apiVersion: text,
  kind: text,
  metadata: metaSchema,
  spec: z.looseObject({
    template: z.looseObject({ metadata: metaSchema.nullish(), spec: podSchema }),
    traffic: list(traffic),
  }),
})

export const jobSchema = z.looseObject({
  metadata: metaSchema,
  spec: z.looseObject({
    startExecutionToken: text,
    runExecutionToken: text,
    template: z.looseObject({
      metadata: metaSchema.nullish(),
      spec: z.looseObject({
        taskCount: number,
        parallelism: number,
        template: z.looseObject({ spec: podSchema }),
      }),
    }),
  }),
})

export const workerPoolSchema = z.looseObject({
  metadata: metaSchema,
  spec: z.looseObject({
    template: z.looseObject({ metadata: metaSchema.nullish(), spec: podSchema }),
    instanceSplits: list(z.looseObject({ percent: number, revisionName: text, latestRevision: z.boolean().nullish() })),
  }),
})

/** What `jobs execute` changes for one execution. */
export const overridesSchema = z.looseObject({
  overrides: z
    .looseObject({
      containerOverrides: list(z.looseObject({ name: text, args: list(z.string()), env: list(env), clearArgs: z.boolean().nullish() })),
      taskCount: number,
      timeoutSeconds: number,
    })
    .nullish(),
})

export type V1Service = z.infer<typeof serviceSchema>
export type V1Job = z.infer<typeof jobSchema>
export type V1WorkerPool = z.infer<typeof workerPoolSchema>
export type V1Pod = z.infer<typeof podSchema>
export type V1Probe = z.infer<typeof probe>
export type Json = Readonly<Record<string, unknown>>

/** @throws CloudError INVALID_ARGUMENT with the place of the first fault */
export function readV1<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new CloudError(
    'INVALID_ARGUMENT',
    `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is not readable'}`,
    'Correct the request.',
  )
}

/** Leaves out what is undefined, an empty text, list or map. */
export function present(value: Json): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => !isEmpty(part)))
}

/** The map without `keys`. */
export function without(map: Readonly<Record<string, string>>, keys: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.has(key)))
}

function isEmpty(part: unknown): boolean {
  if (part === undefined || part === null || part === '') return true
  if (Array.isArray(part)) return part.length === 0
  return typeof part === 'object' && Object.keys(part).length === 0
}
