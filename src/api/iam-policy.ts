import { clone, create, fromJsonString, toJsonString } from '@bufbuild/protobuf'
import type { GetIamPolicyRequest, SetIamPolicyRequest, TestIamPermissionsRequest } from './gen/google/iam/v1/iam_policy_pb.ts'
import { TestIamPermissionsResponseSchema } from './gen/google/iam/v1/iam_policy_pb.ts'
import { PolicySchema, type Policy } from './gen/google/iam/v1/policy_pb.ts'
import { CloudError } from '../base/cloud-error.ts'
import { openCollection } from '../state/collection.ts'
import type { State } from '../state/state.ts'

/** The IAM trio of any resource, by its full name. Policies are stored and compared by etag; each product enforces those that it can. */
export interface IamPolicies {
  get(name: string): Policy
  /** Forgets the policy of a resource that is gone. */
  delete(name: string): Promise<void>
  /** @param onSet told the canonical name after a policy was stored */
  rpcs(
    canonical: (name: string) => string,
    onSet?: (name: string) => void,
  ): {
    getIamPolicy(request: GetIamPolicyRequest): Policy
    setIamPolicy(request: SetIamPolicyRequest): Promise<Policy>
    testIamPermissions(request: TestIamPermissionsRequest): ReturnType<typeof allPermissions>
  }
}

export function openIamPolicies(state: State): IamPolicies {
  const rows = openCollection(state, 'iam.policy')
  const get = (name: string): Policy => {
    const value = rows.get(name)
    return value === undefined
      ? create(PolicySchema, { version: 1, etag: Buffer.from('ACAB', 'base64') })
      : fromJsonString(PolicySchema, value)
  }
  return {
    get,
    async delete(name) {
      await rows.delete(name)
    },
    rpcs: (canonical, onSet) => ({
      getIamPolicy: (request) => get(canonical(request.resource)),
      async setIamPolicy(request) {
        const name = canonical(request.resource)
        const current = get(name)
        const policy = clone(PolicySchema, request.policy ?? create(PolicySchema))
        if (policy.etag.length > 0 && !Buffer.from(policy.etag).equals(current.etag)) {
          throw new CloudError(
            'ABORTED',
            'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.',
            'Read the policy again.',
          )
        }
        if (policy.version < 3 && [...policy.bindings, ...current.bindings].some((binding) => binding.condition !== undefined)) {
          throw new CloudError(
            'INVALID_ARGUMENT',
            'A policy with conditions must be set with version 3.',
            'Read it with requestedPolicyVersion 3.',
          )
        }
        policy.version = policy.bindings.some(({ condition }) => condition !== undefined) ? 3 : 1
        policy.etag = crypto.getRandomValues(new Uint8Array(8))
        await rows.put(name, toJsonString(PolicySchema, policy))
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

function allPermissions(permissions: readonly string[]) {
  return create(TestIamPermissionsResponseSchema, { permissions: [...permissions] })
}
