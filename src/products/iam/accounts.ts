import { projectOfEmail } from '../../api/borders.ts'
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  ListServiceAccountsResponseSchema,
  ServiceAccountSchema,
  type IAM,
  type ServiceAccount,
} from '../../api/gen/google/iam/admin/v1/iam_pb.ts'
import { deletedAccount } from '../../api/iam-members.ts'
import type { IamPolicies } from '../../api/iam-policy.ts'
import { applyMask } from '../../api/masks.ts'
import { paginate } from '../../api/pages.ts'
import { messageKind } from '../../api/message-row.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { openCollection } from '../../state/collection.ts'
import { openResources } from '../../state/resources.ts'
import type { IamNeeds } from './needs.ts'
import { checkAccountId, defaultEmailOf, emailOf, invalid, readAccountName, readProjectName } from './names.ts'

/** The service accounts of all projects. A project has its default compute account from the start. */
export interface Accounts {
  /** By resource name: project by id, number or `-`, account by email or unique id. @throws CloudError NOT_FOUND */
  get(name: string): ServiceAccount
  /** By email or unique id; undefined when there is none. */
  find(account: string): ServiceAccount | undefined
  /** Ids of the projects that have some. */
  projects(): readonly string[]
  /** Forgets all of a project, with their keys and tokens. */
  removeProject(project: string): Promise<void>
  rpcs: Partial<ServiceImpl<typeof IAM>>
}

export const accountKind = messageKind('iam.account', ServiceAccountSchema)

/** @param onMembersChange told the names of resources whose policy named an account that is gone */
export function openAccounts(needs: IamNeeds, policies: IamPolicies, onMembersChange: (resources: readonly string[]) => void): Accounts {
  const accounts = openResources(needs.state, accountKind)
  const settled = openCollection(needs.state, 'iam.project')
  /** Makes the default account of a project that nobody spoke of before; once, so that it can be deleted. */
  const settle = (project: string) => {
    if (settled.get(project) !== undefined) return
    const email = defaultEmailOf(needs.project(project).number)
    const made = [
      settled.put(project, ''),
      accounts.put(newAccount(project, email, needs.tokens.uniqueId(email), 'Default compute service account', '')),
    ]
    Promise.all(made).catch(() => {}) // a disk that is full tells the next writer
  }
  const parentOf = (project: string) => `projects/${project}/serviceAccounts`
  const lookUp = ({ project: told, account }: { readonly project: string; readonly account: string }) => {
    const owner = told === '-' ? projectOfEmail(account) : told
    const project = owner === undefined ? undefined : needs.project(owner).id
    if (project !== undefined) settle(project)
    if (account.includes('@')) return project === undefined ? undefined : accounts.find(`${parentOf(project)}/${account}`)
    return accounts.list(project === undefined ? '' : parentOf(project)).find(({ uniqueId }) => uniqueId === account)
  }
  const get = (name: string) => {
    const found = lookUp(readAccountName(name))
    if (found !== undefined) return found
    const { account } = readAccountName(name)
    throw new CloudError(
      'NOT_FOUND',
      `Service account ${name} does not exist.`,
      `gcloud iam service-accounts create ${account.split('@')[0]}`,
    )
  }
  /** Policies that name the account say that it is gone, in whatever project they are. Answers the names of their resources. */
  const forget = async (email: string, uniqueId: string): Promise<readonly string[]> => {
    const words = [`serviceAccount:${email}`, deletedAccount(email, uniqueId)] as const
    const [changed] = await Promise.all([policies.replaceMember(...words), needs.replaceMember?.(...words)])
    return changed
  }
  /** All that an account had goes with it; policies that name it say that it is gone. */
  const remove = async (account: ServiceAccount) => {
    const { name, email, uniqueId } = account
    const [changed] = await Promise.all([
      forget(email, uniqueId),
      accounts.delete(name),
      needs.tokens.accountKeys.deleteAll(email),
      needs.tokens.suspend(email, true),
      needs.tokens.retire(email),
    ])
    onMembersChange(changed)
  }
  const setDisabled = async (name: string, disabled: boolean) => {
    const account = get(name)
    account.disabled = disabled
    await Promise.all([accounts.put(account), needs.tokens.suspend(account.email, disabled)])
    return create(EmptySchema)
  }
  return {
    get,
    find: (account) => lookUp({ project: '-', account }),
    projects: () => [...new Set([...settled.list('').map(({ name }) => name), ...accounts.projects()])],
    async removeProject(project) {
      const emails = accounts.names(parentOf(project)).map((name) => name.slice(parentOf(project).length + 1))
      const { accountKeys, suspend, retire, uniqueId } = needs.tokens
      const told = await Promise.all(emails.map((email) => forget(email, uniqueId(email))))
      await Promise.all([
        ...emails.flatMap((email) => [accountKeys.deleteAll(email), suspend(email, false), retire(email)]),
        accounts.deleteBelow(parentOf(project)),
        settled.delete(project),
      ])
      onMembersChange(told.flat())
    },
    rpcs: {
      async createServiceAccount(request) {
        checkAccountId(request.accountId)
        const project = needs.project(readProjectName(request.name)).id
        settle(project)
        const { displayName = '', description = '' } = request.serviceAccount ?? {}
        const email = emailOf(request.accountId, project)
        const account = newAccount(project, email, needs.tokens.uniqueId(email), displayName, description)
        checkTexts(account)
        if (accounts.find(account.name) !== undefined) {
          throw new CloudError(
            'ALREADY_EXISTS',
            `Service account ${request.accountId} already exists within project projects/${project}.`,
            `gcloud iam service-accounts describe ${account.email}`,
          )
        }
        await Promise.all([accounts.put(account), needs.tokens.suspend(account.email, false)])
        return account
      },
      getServiceAccount: (request) => get(request.name),
      listServiceAccounts(request) {
        const project = needs.project(readProjectName(request.name)).id
        settle(project)
        const parent = parentOf(project)
        const list = (after: string, limit: number) => accounts.list(parent, after, limit)
        const page = paginate(list, parent, Math.min(request.pageSize || 20, 100), request.pageToken)
        return create(ListServiceAccountsResponseSchema, { accounts: [...page.items], nextPageToken: page.nextPageToken })
      },
      async updateServiceAccount(request) {
        const account = get(request.name)
        account.displayName = request.displayName
        checkTexts(account)
        return accounts.put(account)
      },
      async patchServiceAccount(request) {
        const sent = request.serviceAccount ?? create(ServiceAccountSchema)
        const paths = request.updateMask?.paths ?? []
        const fixed = paths.find((path) => path !== 'display_name' && path !== 'description')
        if (paths.length === 0) throw invalid('update_mask must name display_name, description, or both.')
        if (fixed !== undefined) throw invalid(`update_mask names "${fixed}"; only display_name and description can be changed.`)
        const account = applyMask(ServiceAccountSchema, get(sent.name), sent, paths)
        checkTexts(account)
        return accounts.put(account)
      },
      async deleteServiceAccount(request) {
        const account = get(request.name)
        await remove(account)
        return create(EmptySchema)
      },
      enableServiceAccount: (request) => setDisabled(request.name, false),
      disableServiceAccount: (request) => setDisabled(request.name, true),
      ...policies.rpcs((name) => get(name).name),
    },
  }
}

function newAccount(project: string, email: string, uniqueId: string, displayName: string, description: string): ServiceAccount {
  const name = `projects/${project}/serviceAccounts/${email}`
  const etag = Buffer.from('MDEwMjE5MjA=', 'base64') // what Google answers for every account
  return create(ServiceAccountSchema, {
    name,
    projectId: project,
    uniqueId,
    email,
    displayName,
    description,
    oauth2ClientId: uniqueId,
    etag,
  })
}

function checkTexts({ displayName, description }: ServiceAccount): void {
  if (Buffer.byteLength(displayName) > 100) throw invalid('display_name must be at most 100 bytes of UTF-8.')
  if (Buffer.byteLength(description) > 256) throw invalid('description must be at most 256 bytes of UTF-8.')
}
