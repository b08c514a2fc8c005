import { isRecord } from '../../../base/is-record.ts'
import { type GoogleApi, type Json } from '../../../api/google-api.ts'

const role = 'roles/run.invoker'
const everybody = 'allUsers'

/** Whether everybody may call a service. @param url of the service, in version 2 of the API */
export async function isOpenToAll(api: GoogleApi, url: string): Promise<boolean> {
  return (await readPolicy(api, url)).members.includes(everybody)
}

/**
 * Lets everybody call a service, as `gcloud run deploy --allow-unauthenticated` does, or not; other members stay. Answers false, and writes
 * nothing, where it is so already.
 * @param url of the service, in version 2 of the API
 */
export async function openToAll(api: GoogleApi, url: string, isOpen: boolean): Promise<boolean> {
  const { policy, members, otherBindings } = await readPolicy(api, url)
  if (members.includes(everybody) === isOpen) return false
  const others = members.filter((member) => member !== everybody)
  const invokers = isOpen ? [...others, everybody] : others
  const bindings = invokers.length === 0 ? otherBindings : [...otherBindings, { role, members: invokers }]
  await api.call('POST', `${url}:setIamPolicy`, { policy: { ...policy, bindings } })
  return true
}

async function readPolicy(api: GoogleApi, url: string) {
  const policy = await api.call('GET', `${url}:getIamPolicy?options.requestedPolicyVersion=3`)
  const bindings = Array.isArray(policy['bindings']) ? policy['bindings'].filter(isRecord) : []
  const own = bindings.find((binding) => binding['role'] === role && binding['condition'] === undefined)
  return { policy, members: membersOf(own), otherBindings: bindings.filter((found) => found !== own) }
}

function membersOf(binding: Json | undefined): readonly string[] {
  const members = binding?.['members']
  return Array.isArray(members) ? members.map(String) : []
}
