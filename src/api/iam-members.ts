import { CloudError } from '../base/cloud-error.ts'

const email = /^[^\s@:/?"'`$;,()<>\\]{1,64}@[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i
const domain = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i
const principal = /^\/\/(iam|sts|cloudresourcemanager)\.googleapis\.com\/[^\s"'`]+$|^\/\/goog\/[^\s"'`]+$/
/** `PROJECT.svc.id.goog[NAMESPACE/ACCOUNT]`: an account of Kubernetes. */
const workload = /^[a-z][a-z0-9.:-]*\.svc\.id\.goog\[[a-z0-9-]+\/[a-z0-9.-]+\]$/

/** What may follow each prefix. Source: cloud.google.com/iam/docs/principal-identifiers, and the comment of Binding.members. */
const forms: Readonly<Record<string, (rest: string) => boolean>> = {
  user: (rest) => email.test(rest),
  serviceAccount: (rest) => email.test(rest) || workload.test(rest),
  group: (rest) => email.test(rest),
  domain: (rest) => domain.test(rest),
  principal: (rest) => principal.test(rest),
  principalSet: (rest) => principal.test(rest),
}
const deletable = new Set(['user', 'serviceAccount', 'group'])
const ofProjects = /^project(Owner|Editor|Viewer):[a-z0-9][a-z0-9.:-]{0,62}$/

/**
 * A member in the form of a policy: prefixes in Google's case, emails in lower case.
 * @param isOfStorage whether the policy may have `projectOwner:` and its like: policies of buckets alone have them
 * @throws CloudError INVALID_ARGUMENT in Google's words for text that is no member
 */
export function readMember(member: string, isOfStorage = false): string {
  if (member === 'allUsers' || member === 'allAuthenticatedUsers') return member
  if (isOfStorage && ofProjects.test(member)) return member
  const [, deleted = '', told = '', rest = ''] = /^(deleted:)?([A-Za-z]+):(.*)$/s.exec(member) ?? []
  const kind = Object.keys(forms).find((known) => known.toLowerCase() === told.toLowerCase())
  if (kind === undefined) {
    const words = `Invalid argument: The member ${member.slice(0, 200)} is of an unknown type. Please set a valid type prefix for the member.`
    throw new CloudError(
      'INVALID_ARGUMENT',
      words,
      'Write user:, serviceAccount:, group:, domain:, principal: or principalSet:, or allUsers.',
    )
  }
  const [, name = rest, uid] = (deleted === '' ? undefined : /^([^?]+)\?uid=(\d{1,30})$/.exec(rest)) ?? []
  const isWhole = deleted === '' || kind.startsWith('principal') || (deletable.has(kind) && uid !== undefined)
  if (!isWhole || forms[kind]?.(name) !== true)
    throw new CloudError('INVALID_ARGUMENT', `Invalid argument: Invalid member: "${member.slice(0, 200)}".`, 'Correct the member.')
  return `${deleted}${kind}:${kind === 'principal' || kind === 'principalSet' ? rest : rest.toLowerCase()}`
}

/** How a policy names a deleted service account, so that an account that is made again with the email inherits nothing. */
export function deletedAccount(accountEmail: string, uniqueId: string): string {
  return `deleted:serviceAccount:${accountEmail}?uid=${uniqueId}`
}
