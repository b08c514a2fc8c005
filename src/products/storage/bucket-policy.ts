import { create } from '@bufbuild/protobuf'
import * as z from 'zod'
import { BindingSchema, type Binding } from '../../api/gen/google/iam/v1/policy_pb.ts'
import { PolicySchema } from '../../api/gen/google/iam/v1/policy_pb.ts'
import { readBindings, shownPolicy } from '../../api/policy-rules.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { withoutNulls } from '../../api/json-values.ts'
import { invalid } from './names.ts'

interface Condition {
  readonly title: string
  readonly description?: string | undefined
  readonly expression: string
}

interface BucketBinding {
  readonly role: string
  readonly members: readonly string[]
  readonly condition?: Condition | undefined
}

/** A bucket's policy as JSON has it. */
export interface BucketPolicy {
  readonly version: number
  readonly etag: string
  readonly bindings: readonly BucketBinding[]
}

const schema = z.object({
  version: z.union([z.literal(0), z.literal(1), z.literal(3)]).default(1),
  etag: z.string().optional(),
  bindings: z
    .array(
      z.object({
        role: z.string(),
        members: z.array(z.string()).default([]),
        condition: z.object({ title: z.string(), description: z.string().optional(), expression: z.string() }).optional(),
      }),
    )
    .default([]),
})

/** A binding without members is none. Source: cloud.google.com/iam/quotas, "All principals in a single allow policy". */
const mostBindings = 1500

/** What a bucket has before one is set: those of its project by the roles that they have there. */
export function firstPolicy(project: string): BucketPolicy {
  return {
    version: 1,
    etag: policyEtag(1),
    bindings: [
      { role: 'roles/storage.legacyBucketOwner', members: [`projectEditor:${project}`, `projectOwner:${project}`] },
      { role: 'roles/storage.legacyBucketReader', members: [`projectViewer:${project}`] },
    ],
  }
}

/**
 * The policy that a request leaves.
 * @param metageneration of the bucket with it
 * @throws CloudError INVALID_ARGUMENT for what IAM refuses, CONDITION_NOT_MET for an etag of the past
 */
export function nextPolicy(current: BucketPolicy, input: unknown, metageneration: number): BucketPolicy {
  const read = schema.safeParse(withoutNulls(input))
  if (!read.success) {
    const [issue] = read.error.issues
    throw invalid(
      `The policy is not well formed: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      'Send {"version": 3, "bindings": [{"role": ..., "members": [...]}]}.',
    )
  }
  const { version, etag } = read.data
  if (read.data.bindings.length > mostBindings) throw invalid('The policy has too many bindings.', `Send at most ${mostBindings}.`)
  if (etag !== undefined && etag !== '' && etag !== current.etag) throw changedMeanwhile()
  const bindings = readBindings(read.data.bindings.map(toMessage), { isOfStorage: true }).map(fromMessage)
  const isConditional = bindings.some(({ condition }) => condition !== undefined)
  const wasConditional = current.bindings.some(({ condition }) => condition !== undefined)
  if (version < 3 && (isConditional || wasConditional))
    throw invalid('A policy with conditions must be set with version 3.', 'Read it with optionsRequestedPolicyVersion=3.')
  return { version: isConditional ? 3 : 1, etag: policyEtag(metageneration), bindings }
}

/** The policy as one reads it who asks for `version`. @throws CloudError INVALID_ARGUMENT */
export function policyAsAsked(policy: BucketPolicy, version: number): BucketPolicy {
  const { bindings } = shownPolicy(create(PolicySchema, { version: policy.version, bindings: policy.bindings.map(toMessage) }), version)
  return { ...policy, version: version < 3 ? 1 : policy.version, bindings: bindings.map(fromMessage) }
}

function toMessage({ role, members, condition }: BucketBinding): Binding {
  const { description = '', ...rest } = condition ?? {}
  return create(BindingSchema, { role, members: [...members], ...(condition !== undefined && { condition: { ...rest, description } }) })
}

function fromMessage({ role, members, condition }: Binding): BucketBinding {
  if (condition === undefined) return { role, members }
  const { title, description, expression } = condition
  return { role, members, condition: { title, ...(description !== '' && { description }), expression } }
}

/** Base64, which gcloud and gsutil decode: field 1 of a message, the metageneration as a varint. The first is `CAE=`, as Google's is. */
function policyEtag(metageneration: number): string {
  const bytes = [0x08]
  for (let rest = metageneration; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest < 128 ? 0 : 0x80))
    if (rest < 128) return Buffer.from(bytes).toString('base64')
  }
}

function changedMeanwhile(): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    'At least one of the pre-conditions you specified did not hold.',
    'Read the policy again and retry.',
    { fault: 'CONDITION_NOT_MET' },
  )
}
