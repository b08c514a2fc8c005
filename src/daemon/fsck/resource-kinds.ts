import { ExecutionSchema } from '../../api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { RevisionSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { ServiceSchema } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { WorkerPoolSchema } from '../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { policyKind } from '../../api/iam-policy.ts'
import { messageKind } from '../../api/message-row.ts'
import { operationKind } from '../../api/operations.ts'
import { accountKeyKind } from '../../metadata/account-keys.ts'
import { accountKind } from '../../products/iam/index.ts'
import { secretKind } from '../../products/secretmanager/index.ts'
import { instanceKind, sqlOperationKind } from '../../products/sql/index.ts'
import type { ResourceKind } from '../../state/resource-kind.ts'
import { projectKind } from '../projects.ts'

/** Every kind whose rows more is known of than that they are text, each from the room that keeps it. */
export const resourceKinds: readonly ResourceKind<unknown>[] = [
  projectKind,
  policyKind,
  operationKind,
  accountKeyKind,
  accountKind,
  secretKind,
  instanceKind,
  sqlOperationKind,
  messageKind('run.execution', ExecutionSchema),
  messageKind('run.job', JobSchema),
  messageKind('run.revision', RevisionSchema),
  messageKind('run.service', ServiceSchema),
  messageKind('run.service.deleted', ServiceSchema),
  messageKind('run.workerpool', WorkerPoolSchema),
  messageKind('run.workerpool.revision', RevisionSchema),
]
