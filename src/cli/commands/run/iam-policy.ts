import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { usage } from './flag-values.ts'
import type { RunApi } from './run-api.ts'

interface Binding {
  readonly role: string
  readonly members?: readonly string[]
  readonly condition?: object
}

/** Gives or takes a role on `resource`, by reading and writing its policy. @throws CloudError USAGE when what is taken was not given */
export async function addMember(
  api: RunApi,
  resource: string,
  role: string,
  member: string,
  how: 'add' | 'remove' | 'remove-if-there',
): Promise<ApiAnswer> {
  const policy = await api.call('GET', `${resource}:getIamPolicy?options.requestedPolicyVersion=3`)
  const bindings = (policy['bindings'] ?? []) as readonly Binding[]
  const isIt = ({ role: one, condition }: Binding) => one === role && condition === undefined
  const members = bindings.filter(isIt).flatMap((binding) => binding.members ?? [])
  const has = members.includes(member)
  if (how === 'remove' && !has) {
    throw usage(
      `Policy bindings with the specified member [${member}] and role [${role}] not found!`,
      'devcloud run services get-iam-policy shows those that there are.',
    )
  }
  if (how === 'add' ? has : !has) return policy
  const wanted = how === 'add' ? [...members, member] : members.filter((one) => one !== member)
  const others = bindings.filter((binding) => !isIt(binding))
  const changed = { ...policy, bindings: [...others, ...(wanted.length > 0 ? [{ role, members: wanted }] : [])] }
  return api.call('POST', `${resource}:setIamPolicy`, { policy: changed })
}
