import { z } from 'zod'
import { rules } from '../../../config/ids.ts'
import { container, secretVolume } from './knative-schema.ts'
import { text, whole } from '../../../config/schema-parts.ts'

const longest = 168 * 3600
const seconds = z.union([whole(1, longest), z.string().regex(/^[1-9]\d{0,5}$/, { error: `a whole number from 1 to ${longest}` })])

const task = z.looseObject({
  containers: z.array(container).length(1, { error: 'one container: a task has no sidecar containers' }),
  volumes: z.array(z.looseObject({ name: z.string(), secret: secretVolume.optional() })).nullish(),
  serviceAccountName: z.string().nullish(),
  maxRetries: whole(0, 10).nullish(),
  timeoutSeconds: seconds.nullish(),
})

const annotations = z.looseObject({
  'run.googleapis.com/cloudsql-instances': z.string().optional(),
  'run.googleapis.com/secrets': z.string().optional(),
})

/** The part that is read of a Job as Cloud Run exports it, and `gcloud run jobs replace` takes it. Other keys are let through. */
export const knativeJobSchema = z.looseObject({
  metadata: z.looseObject({
    name: text(rules.job),
    namespace: z.union([z.string(), z.number()]).nullish(),
    labels: z.record(z.string(), z.unknown()).nullish(),
  }),
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: annotations.nullish() }).nullish(),
      spec: z.looseObject({
        taskCount: whole(1, 10_000).nullish(),
        parallelism: whole(0, 10_000).nullish(),
        template: z.looseObject({ spec: task }),
      }),
    }),
  }),
})

export type KnativeJob = z.infer<typeof knativeJobSchema>
