import { create } from '@bufbuild/protobuf'
import type { GetIamPolicyRequest, SetIamPolicyRequest, TestIamPermissionsRequest } from './gen/google/iam/v1/iam_policy_pb.ts'
import { TestIamPermissionsResponseSchema } from './gen/google/iam/v1/iam_policy_pb.ts'
import { PolicySchema, type Policy } from './gen/google/iam/v1/policy_pb.ts'
import { readMessage, writeMessage } from './message-row.ts'
import { CloudError } from '../base/cloud-error.ts'
import { openCollection } from '../state/collection.ts'
import type { ResourceKind } from '../state/resource-kind.ts'
import { openResources } from '../state/resources.ts'
import type { State } from '../state/state.ts'
import { nextPolicy, shownPolicy, type PolicyRules } from './policy-rules.ts'

/** The three IAM methods of any resource, by its full name. Policies are stored and compared by etag; each product enforces the policies that it can. */
export interface IamPolicies {
  get(name: string): Policy
  /** Replaces `member` by `next` in every policy. Gives the names of the resources whose policy had `member`. */
  replaceMember(member: string, next: string): Promise<readonly string[]>
  /** @param onSet told the canonical name after a policy was stored */
  rpcs(
    canonical: (name: string) => string,
    onSet?: (name: string) => void,
    rules?: PolicyRules,
  ): {
    getIamPolicy(request: GetIamPolicyRequest): Policy
    setIamPolicy(request: SetIamPolicyRequest): Promise<Policy>
    testIamPermissions(request: TestIamPermissionsRequest): ReturnType<typeof allPermissions>
  }
}

/** A row has the name of the resource and the policy alone, which has no name. */
export const policyKind: ResourceKind<{ readonly name: string; readonly policy: Policy }> = {
  kind: 'iam.policy',
  form: 'json',
  nameOf: ({ name }) => name,
  read: (row, name) => ({ name, policy: readMessage(PolicySchema, row) }),
  write: ({ policy }) => writeMessage(PolicySchema, policy),
}

/**
 * Opens the policies in `state`. A policy is deleted together with its resource, in the same transaction, whichever room deletes the row. So a resource that is
 * made again with the name inherits no member.
 */
export function openIamPolicies(state: State): IamPolicies {
  const { kind } = policyKind
  const policies = openResources(state, policyKind)
  const texts = openCollection(state, kind)
  state.db.exec(`CREATE TEMP TRIGGER IF NOT EXISTS policy_goes_with_resource AFTER DELETE ON main.resources WHEN OLD.kind <> '${kind}'
    BEGIN DELETE FROM resources WHERE kind = '${kind}' AND name = OLD.name; END`)
  const get = (name: string): Policy =>
    policies.find(name)?.policy ?? create(PolicySchema, { version: 1, etag: Buffer.from('ACAB', 'base64') })
  return {
    get,
    async replaceMember(member, next) {
      const quoted = JSON.stringify(member)
      const holding = texts.list('').filter(({ value }) => value.includes(quoted)) // few: reading all of them takes long
      const changes = await Promise.allSettled(
        holding.map(async ({ name }) => {
          const policy = get(name) // a row that cannot be read lets nobody in, and keeps no other from being changed
          for (const binding of policy.bindings) binding.members = binding.members.map((held) => (held === member ? next : held))
          await policies.put({ name, policy })
          return name
        }),
      )
      return changes.flatMap((change) => (change.status === 'fulfilled' ? [change.value] : []))
    },
    rpcs: (canonical, onSet, rules = {}) => ({
      getIamPolicy: ({ resource, options }) => shownPolicy(get(canonical(resource)), options?.requestedPolicyVersion ?? 0),
      async setIamPolicy({ resource, policy: sent, updateMask }) {
        const name = canonical(resource)
        const policy = nextPolicy(get(name), sent, updateMask?.paths ?? [], rules)
        await policies.put({ name, policy })
        onSet?.(name)
        return policy
      },
      testIamPermissions(request) {
        canonical(request.resource)
        return allPermissions(request.permissions)
      },
    }),
  }
}

/** @throws CloudError INVALID_ARGUMENT for text that is no permission. Source: the comment of TestIamPermissionsRequest.permissions. */
function allPermissions(permissions: readonly string[]) {
  const bad = permissions.find((permission) => !/^[a-z][a-zA-Z0-9]*(\.[a-zA-Z0-9]+){2,}$/.test(permission))
  if (bad !== undefined)
    throw new CloudError(
      'INVALID_ARGUMENT',
      `Permission ${bad.slice(0, 200)} is not valid for this resource.`,
      'Write permissions without wildcards.',
    )
  return create(TestIamPermissionsResponseSchema, { permissions: [...permissions] })
}
