import { createHash } from 'node:crypto'
import { clone, create } from '@bufbuild/protobuf'
import { BindingSchema, PolicySchema, type Binding, type Policy } from './gen/google/iam/v1/policy_pb.ts'
import { CloudError } from '../base/cloud-error.ts'
import { readMember } from './iam-members.ts'

/** Source: cloud.google.com/iam/quotas, "All principals in a single allow policy". */
const mostPrincipals = 1500
/** Source: the same, "Total size of the policy". */
const mostBytes = 250 << 10
const basicRoles = ['roles/owner', 'roles/editor', 'roles/viewer']

/** What differs between the policies of resources. */
export interface PolicyRules {
  /** Whether the policy is a project's, which may not name allUsers: https://cloud.google.com/resource-manager/reference/rest/v1/projects/setIamPolicy */
  readonly withoutPublic?: boolean
  /** Whether the policy is a bucket's, which may name `projectOwner:` and its like. */
  readonly isOfStorage?: boolean
}

/**
 * The policy after a request to set it. Pure except for the new etag.
 * @param paths the paths of the request's mask; without paths: bindings and etag
 * @throws CloudError ABORTED for an old etag, INVALID_ARGUMENT for what IAM refuses
 */
export function nextPolicy(current: Policy, sent: Policy | undefined, paths: readonly string[], rules: PolicyRules): Policy {
  const asked = clone(PolicySchema, sent ?? create(PolicySchema))
  const unknown = paths.find((path) => !['bindings', 'etag', 'version', 'audit_configs', 'auditConfigs', '*'].includes(path))
  if (unknown !== undefined) throw invalid(`update_mask: "${unknown}" is no field of a policy.`)
  checkVersion(asked.version)
  if (asked.etag.length > 0 && !Buffer.from(asked.etag).equals(current.etag)) throw changedMeanwhile()
  const isWhole = paths.length === 0 || paths.includes('*')
  const bindings = isWhole || paths.includes('bindings') ? readBindings(asked.bindings, rules) : current.bindings
  if (asked.version < 3 && [...bindings, ...current.bindings].some(({ condition }) => condition !== undefined)) {
    throw new CloudError(
      'INVALID_ARGUMENT',
      'A policy with conditions must be set with version 3.',
      'Read it with requestedPolicyVersion 3.',
    )
  }
  const withAudits = paths.some((path) => ['audit_configs', 'auditConfigs', '*'].includes(path))
  const next = create(PolicySchema, { bindings, auditConfigs: withAudits ? asked.auditConfigs : current.auditConfigs })
  next.version = bindings.some(({ condition }) => condition !== undefined) ? 3 : 1
  next.etag = crypto.getRandomValues(new Uint8Array(8))
  return next
}

/**
 * The policy for a reader who asks for `version`. Only version 3 shows conditions; in an earlier version a binding with a condition has a role that ends with
 * `_withcond_`.
 * Source: cloud.google.com/iam/docs/policies, "Specifying a policy version when getting a policy".
 * @throws CloudError INVALID_ARGUMENT for an unknown version
 */
export function shownPolicy(policy: Policy, version: number): Policy {
  checkVersion(version)
  if (version >= 3 || policy.bindings.every(({ condition }) => condition === undefined)) return policy
  const bindings = policy.bindings.map(({ role, members, condition }) => {
    if (condition === undefined) return create(BindingSchema, { role, members })
    const digest = createHash('sha256').update(`${condition.title}\n${condition.expression}`).digest('hex').slice(0, 20)
    return create(BindingSchema, { role: `${role}_withcond_${digest}`, members })
  })
  return create(PolicySchema, { ...policy, version: 1, bindings })
}

/** Joins bindings of the same role and condition, and removes bindings without members. */
export function readBindings(sent: readonly Binding[], { withoutPublic, isOfStorage }: PolicyRules = {}): Binding[] {
  const known = new Map<string, Binding>()
  for (const binding of sent) {
    checkRole(binding)
    const members = binding.members.map((member) => readMember(member, isOfStorage))
    const open = members.find((member) => member === 'allUsers' || member === 'allAuthenticatedUsers')
    if (open !== undefined && withoutPublic === true) throw invalid(`The member ${open} is not supported in the policy of a project.`)
    checkCondition(binding, open)
    if (members.length === 0) continue
    const { title = '', description = '', expression = '' } = binding.condition ?? {}
    const key = JSON.stringify([binding.role, title, description, expression])
    const before = known.get(key)
    if (before === undefined) known.set(key, create(BindingSchema, { ...binding, members: [...new Set(members)] }))
    else before.members = [...new Set([...before.members, ...members])]
  }
  const bindings = [...known.values()]
  const principals = bindings.reduce((sum, { members }) => sum + members.length, 0)
  if (principals > mostPrincipals) throw invalid(`The policy refers to ${principals} principals; the most is ${mostPrincipals}.`)
  const bytes = bindings.reduce((sum, { role, members }) => sum + role.length + members.reduce((all, member) => all + member.length, 0), 0)
  if (bytes > mostBytes) throw invalid(`The policy is larger than ${mostBytes >> 10} KB.`)
  return bindings
}

/** The form of a role's name: predefined, of a project, or of an organization. Whether the role exists is not checked. */
function checkRole({ role }: Binding): void {
  if (role.includes('_withcond_')) throw invalid(`Role ${role} stands for a binding with a condition; set such a policy with version 3.`)
  if (
    /^roles\/[a-zA-Z][a-zA-Z0-9]*(\.[a-zA-Z][\w]*)*$/.test(role) ||
    /^(projects|organizations)\/[a-z0-9.:-]+\/roles\/[\w.]{3,64}$/.test(role)
  )
    return
  throw invalid(`Role ${role.slice(0, 200)} is not supported for this resource.`)
}

/** Source: cloud.google.com/iam/docs/conditions-overview, "Limits". */
function checkCondition({ role, condition }: Binding, open: string | undefined): void {
  if (condition === undefined) return
  if (condition.expression.trim() === '') throw invalid('The expression of a condition must not be empty.')
  if (condition.title === '' || condition.title.length > 100) throw invalid('The title of a condition must have 1 to 100 characters.')
  if (condition.description.length > 256) throw invalid('The description of a condition must have at most 256 characters.')
  if (condition.expression.length > 12_000) throw invalid('The expression of a condition is too long.')
  if (basicRoles.includes(role)) throw invalid(`Conditions are not supported for the basic role ${role}.`)
  if (open !== undefined) throw invalid(`Conditions are not supported for ${open}.`)
}

function checkVersion(version: number): void {
  if (![0, 1, 3].includes(version)) throw invalid(`Invalid policy version ${version}: valid values are 0, 1, and 3.`)
}

function changedMeanwhile(): CloudError {
  const words = 'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.'
  return new CloudError('ABORTED', words, 'Read the policy again.')
}

function invalid(message: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `Invalid argument: ${message}`, 'Correct the policy.')
}
