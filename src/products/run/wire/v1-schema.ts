import { z } from 'zod'
import { stringMap } from '../../../api/string-map.ts'
import { invalid } from '../invalid.ts'

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

const metaSchema = z.looseObject({
  name: text,
  namespace: z.union([z.string(), z.number()]).nullish(),
  labels: map,
  annotations: map,
  generation: number,
  resourceVersion: z.union([z.string(), z.number()]).transform(String).nullish(),
})

const probe = z
  .strictObject({
    initialDelaySeconds: number,
    timeoutSeconds: number,
    periodSeconds: number,
    failureThreshold: number,
    successThreshold: z.union([z.literal(1), z.literal(2)], 'must be 1, or 2 for readiness').nullish(),
    httpGet: z
      .strictObject({
        path: text,
        port: number,
        scheme: z.enum(['', 'HTTP'], 'must be HTTP').nullish(),
        httpHeaders: list(z.strictObject({ name: z.string(), value: text })),
      })
      .nullish(),
    tcpSocket: z.strictObject({ port: number }).nullish(),
    grpc: z.strictObject({ port: number, service: text }).nullish(),
  })
  .nullish()

const env = z.strictObject({
  name: z.string(),
  value: text,
  valueFrom: z
    .strictObject({
      secretKeyRef: z
        .strictObject({
          name: text,
          key: z.union([z.string(), z.number()]).transform(String).nullish(),
          optional: z.literal(false, 'is not supported by Cloud Run').nullish(),
        })
        .nullish(),
    })
    .nullish(),
})

const container = z.strictObject({
  name: text,
  image: text,
  command: list(z.string()),
  args: list(z.string()),
  env: list(env),
  workingDir: text,
  ports: list(z.strictObject({ name: text, containerPort: number, protocol: z.enum(['', 'TCP'], 'must be TCP').nullish() })),
  resources: z.strictObject({ limits: map, requests: z.strictObject({}).nullish() }).nullish(), // gcloud sends empty requests
  volumeMounts: list(z.strictObject({ name: z.string(), mountPath: z.string(), subPath: text, readOnly: z.boolean().nullish() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
})

const items = list(z.strictObject({ key: z.union([z.string(), z.number()]).transform(String).nullish(), path: z.string(), mode: number }))

const volume = z.strictObject({
  name: z.string(),
  secret: z
    .strictObject({ secretName: text, items, defaultMode: number, optional: z.literal(false, 'is not supported by Cloud Run').nullish() })
    .nullish(),
  emptyDir: z.strictObject({ medium: text, sizeLimit: text }).nullish(),
  nfs: z.strictObject({ server: z.string(), path: z.string(), readOnly: z.boolean().nullish() }).nullish(),
  csi: z.strictObject({ driver: text, readOnly: z.boolean().nullish(), volumeAttributes: map }).nullish(),
})

/** What templates of revisions and of tasks have in common. */
const podSchema = z.strictObject({
  containers: list(container),
  volumes: list(volume),
  serviceAccountName: text,
  timeoutSeconds: number,
  nodeSelector: map,
  containerConcurrency: number,
  maxRetries: number,
})

const traffic = z.strictObject({
  percent: number,
  tag: text,
  revisionName: text,
  latestRevision: z.boolean().nullish(),
  configurationName: text,
  url: text,
})

/** What every resource has beside its spec; what the server says of its state is not believed. */
const top = { apiVersion: text, kind: text, status: z.unknown().optional() }

/** What every body has. */
export const namedSchema = z.looseObject({ metadata: metaSchema })

export const serviceSchema = z.strictObject({
  ...top,
  metadata: metaSchema,
  spec: z.strictObject({
    template: z.strictObject({ metadata: metaSchema.nullish(), spec: podSchema }),
    traffic: list(traffic),
  }),
})

export const jobSchema = z.strictObject({
  ...top,
  metadata: metaSchema,
  spec: z.strictObject({
    startExecutionToken: text,
    runExecutionToken: text,
    template: z.strictObject({
      metadata: metaSchema.nullish(),
      spec: z.strictObject({
        taskCount: number,
        parallelism: number,
        template: z.strictObject({ spec: podSchema }),
      }),
    }),
  }),
})

export const workerPoolSchema = z.strictObject({
  ...top,
  metadata: metaSchema,
  spec: z.strictObject({
    template: z.strictObject({ metadata: metaSchema.nullish(), spec: podSchema }),
    instanceSplits: list(z.strictObject({ percent: number, revisionName: text, latestRevision: z.boolean().nullish() })),
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
/** Where a resource is: the server writes it. */
export const locationLabel = 'cloud.googleapis.com/location'

export type Json = Readonly<Record<string, unknown>>

/** @throws CloudError INVALID_ARGUMENT with the place of the first fault */
export function readV1<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const place = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '')
    const words = `Invalid JSON payload received. Unknown name "${issue.keys[0]}" at '${place}': Cannot find field.`
    throw invalid(words, 'Remove it: Cloud Run does not have it, or devcloud does not emulate it.')
  }
  throw invalid(`${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is not readable'}`, 'Correct the request.')
}

/** Leaves out what is undefined, an empty text, list or map. */
export function present<T>(value: Readonly<Record<string, T>>): Record<string, T> {
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
