import { clone, create } from '@bufbuild/protobuf'
import { ExecutionTemplateSchema } from '../../../api/gen/google/cloud/run/v2/execution_template_pb.ts'
import { JobSchema, type Job } from '../../../api/gen/google/cloud/run/v2/job_pb.ts'
import { lastPart } from '../../../base/last-part.ts'
import { invalid } from '../invalid.ts'
import { checkReservedKeys, checkUserKeys } from '../reserved-keys.ts'
import { withJobDefaults } from './job-template.ts'
import { checkSchedule } from './schedule.ts'

/**
 * What a client may say of a job, with defaults; the output fields that it sent are not believed.
 * @throws CloudError INVALID_ARGUMENT, or UNIMPLEMENTED for what would act otherwise than here
 */
export function fillJob(sent: Job, name: string): Job {
  const { labels, annotations, client, clientVersion, launchStage, binaryAuthorization, createExecution } = clone(JobSchema, sent)
  checkReservedKeys('job.labels', labels)
  checkReservedKeys('job.annotations', annotations)
  checkUserKeys('job', { labels, annotations })
  checkSchedule({ annotations })
  const job = create(JobSchema, { name, labels, annotations, client, clientVersion, launchStage })
  if (binaryAuthorization !== undefined) job.binaryAuthorization = binaryAuthorization
  job.createExecution = createExecution
  const token = createExecution.value
  if (token !== undefined && (!/^[a-z0-9-]*[a-z0-9]$/.test(token) || lastPart(name).length + token.length >= 63)) {
    throw invalid(
      `The execution token "${token}" must hold only lower case letters, digits and hyphens, and be shorter than 63 characters together with the job's id.`,
      'Choose such a token.',
    )
  }
  job.template = withJobDefaults(sent.template ?? create(ExecutionTemplateSchema))
  return job
}
