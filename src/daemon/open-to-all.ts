import { isRecord } from '../base/is-record.ts'
import { type GoogleApi, type Json } from './google-api.ts'

const role = 'roles/run.invoker'
const everybody = 'allUsers'

/**
 * Lets everybody call a service, as `gcloud run deploy --allow-unauthenticated` does, or not; other members stay. Nothing is written where it is
 * so already.
 * @param url of the service, in version 2 of the API
 */
export async function openToAll(api: GoogleApi, url: string, isOpen: boolean): Promise<void> {
  const policy = await api.call('GET', `${url}:getIamPolicy?options.requestedPolicyVersion=3`)
  const bindings = Array.isArray(policy['bindings']) ? policy['bindings'].filter(isRecord) : []
  const own = bindings.find((binding) => binding['role'] === role && binding['condition'] === undefined)
  const members = membersOf(own)
  if (members.includes(everybody) === isOpen) return
  const others = members.filter((member) => member !== everybody)
  const binding = { role, members: isOpen ? [...others, everybody] : others }
  const kept = bindings.filter((found) => found !== own)
  await api.call('POST', `${url}:setIamPolicy`, {
    policy: { ...policy, bindings: binding.members.length === 0 ? kept : [...kept, binding] },
  })
}

function membersOf(binding: Json | undefined): readonly string[] {
  const members = binding?.['members']
  return Array.isArray(members) ? members.map(String) : []
}
