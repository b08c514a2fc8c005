import { ExecutionSchema } from '../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { RevisionSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceSchema } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { WorkerPoolSchema } from '../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { messageKind } from '../../api/message-row.ts'
import type { ProductOffer } from '../../api/product.ts'
import { buildKind } from './project/builds.ts'
import { runSection } from './project/section.ts'

export const runOffer = {
  name: 'run',
  section: runSection,
  kinds: [
    messageKind('run.execution', ExecutionSchema),
    messageKind('run.job', JobSchema),
    messageKind('run.revision', RevisionSchema),
    messageKind('run.service', ServiceSchema),
    messageKind('run.service.deleted', ServiceSchema),
    messageKind('run.workerpool', WorkerPoolSchema),
    messageKind('run.workerpool.revision', RevisionSchema),
    buildKind,
  ],
  apis: { 'run.googleapis.com': 'Cloud Run Admin API' },
  endpoints: (base) => ({
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: `${base.replace('localhost', 'run.localhost')}/`, // gcloud puts the region before it
    CLOUDSDK_CORE_SHOULD_PROMPT_TO_ENABLE_API: 'false', // gcloud asks serviceusage.googleapis.com else
    GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT: `${base}/v2/`,
  }),
} satisfies ProductOffer
