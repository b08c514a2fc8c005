import type { DescMessage, Message } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { CloudError } from '../base/cloud-error.ts'
import { localUser, type Caller } from './caller.ts'
import type { Policy } from './gen/google/iam/v1/policy_pb.ts'
import { roleGrants } from './roles.ts'
import type { ProjectIds } from './project-ids.ts'

/**
 * Keeps the identities of one project out of other projects. A service account may do everything in its own project. In another project it may do what a
 * policy there allows: of the project, or of the resource. The person at this machine may do everything everywhere.
 */
export interface Borders {
  /** Whether `caller` belongs to the project, an id or a number. */
  isAtHome(caller: Caller, project: string): boolean
  /** @param resource `projects/P`, or the full name of something in it @param action local name of an RPC: `accessSecretVersion` */
  allows(caller: Caller, resource: string, action: string): boolean
  /** @throws CloudError PERMISSION_DENIED */
  check(caller: Caller, resource: string, action: string): void
}

export interface BorderNeeds {
  readonly project: (idOrNumber: string) => ProjectIds
  /** The policy of a resource, by its full name with the project's id or number. A policy without bindings when none was set. */
  readonly policy: (resource: string) => Policy | undefined
  /** The email of the service account with this unique id. Undefined without such an account. */
  readonly emailOfAccount: (uniqueId: string) => string | undefined
}

export function openBorders({ project, policy, emailOfAccount }: BorderNeeds): Borders {
  const isAtHome = (caller: Caller, asked: string): boolean => {
    if (caller.email === localUser.email) return true
    const home = projectOfEmail(caller.email)
    return home !== undefined && project(home).number === project(asked).number
  }
  const allows = (caller: Caller, told: string, action: string): boolean => {
    if (caller.email === localUser.email) return true
    const found = readResource(told, emailOfAccount)
    if (found === undefined) return true
    // of nobody's project: an account that is none, or a wildcard that no method takes
    if (found.project === '-') return false
    if (isAtHome(caller, found.project)) return true
    const { id, number } = project(found.project)
    // some products name their resources by the project's number
    const bindings = [id, number].flatMap((owner) => ancestors([owner, ...found.rest])).flatMap((name) => policy(name)?.bindings ?? [])
    const resource = `projects/${[id, ...found.rest].join('/')}`
    return bindings.some(
      // conditions are not evaluated: a binding with one lets nobody in
      ({ role, members, condition }) => condition === undefined && isNamed(caller, members) && roleGrants(role, resource, action),
    )
  }
  return {
    isAtHome,
    allows,
    check(caller, resource, action) {
      if (allows(caller, resource, action)) return
      throw new CloudError(
        'PERMISSION_DENIED',
        `Permission '${action}' denied on resource '${resource}' (or it may not exist).`,
        `${caller.email} is of another project. Grant it a role there: gcloud projects add-iam-policy-binding ${projectIn(resource)} --member=serviceAccount:${caller.email} --role=ROLE`,
      )
    },
  }
}

/** `projects/P`, `projects/P/secrets/S`, `projects/P/secrets/S/versions/V`. */
function ancestors(words: readonly string[]): readonly string[] {
  return words.flatMap((_word, index) => (index % 2 === 0 ? [`projects/${words.slice(0, index + 1).join('/')}`] : []))
}

/** Whether a list of members contains the caller, by name or as one of all users. */
function isNamed(caller: Caller, members: readonly string[]): boolean {
  return members.some((member) => member === 'allUsers' || member === 'allAuthenticatedUsers' || isAccount(caller, member))
}

/** Whether a policy's member names the caller, a service account. devcloud knows no groups and domains. */
export function isAccount({ email }: Caller, member: string): boolean {
  return member.toLowerCase() === `serviceaccount:${email.toLowerCase()}`
}

/** The project of an email, by id or number. Undefined for a person or an account of Google's. */
export function projectOfEmail(email: string): string | undefined {
  const address = email.toLowerCase()
  return (
    /@([^@]+)\.iam\.gserviceaccount\.com$/.exec(address)?.[1] ??
    /^(\d+)-compute@developer\.gserviceaccount\.com$/.exec(address)?.[1] ??
    /^([^@]+)@appspot\.gserviceaccount\.com$/.exec(address)?.[1]
  )
}

/** The resources that a request names, in its own fields and in the resource that it carries, and the accounts to run as. */
export function questionsOf(schema: DescMessage, message: Message, action: string): readonly Question[] {
  const found: Question[] = []
  const walk = (desc: DescMessage, value: Message, depth: number): void => {
    const reflected = reflect(desc, value)
    for (const field of desc.fields) {
      if (!reflected.isSet(field)) continue
      if (field.fieldKind === 'scalar') {
        const text = reflected.get(field)
        if (typeof text !== 'string') continue
        if (field.localName === 'serviceAccount' && text !== '') found.push(actAs(text))
        else if (depth < 2 && isResourceField(field.localName)) found.push({ resource: fullName(field.localName, text), action })
      } else if (field.fieldKind === 'message' && depth < 4) {
        walk(field.message, (reflected.get(field) as { readonly message: Message }).message, depth + 1)
      }
    }
  }
  walk(schema, message, 0)
  return found
}

export interface Question {
  readonly resource: string
  readonly action: string
}

/** The resources that a request without a proto names: by its path, and by `serviceAccountName` in its JSON. */
export function questionsOfPath(verb: string, path: string, body: unknown): readonly Question[] {
  // /v1/projects/P/..., /sql/v1beta4/projects/P/..., /apis/serving.knative.dev/v1/namespaces/P/...
  const [, whole = '', call] = /^(.*?)(?::(\w+))?$/s.exec(path) ?? []
  const [, name = ''] = /^\/(?:(?:sql|apis\/[\w.-]+)\/)?v\d\w*\/((?:projects|namespaces)\/.*)$/s.exec(decoded(whole)) ?? []
  const action = call ?? (verb === 'GET' || verb === 'HEAD' ? 'get' : 'change')
  return [...(name === '' ? [] : [{ resource: name, action }]), ...accountsIn(body, 0).map(actAs)]
}

function actAs(email: string): Question {
  return { resource: `projects/-/serviceAccounts/${email}`, action: 'actAs' }
}

function accountsIn(value: unknown, depth: number): readonly string[] {
  if (typeof value !== 'object' || value === null || depth > 8 || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'serviceAccountName' && typeof inner === 'string' && inner !== '' ? [inner] : accountsIn(inner, depth + 1),
  )
}

function isResourceField(name: string): boolean {
  return ['name', 'parent', 'resource', 'project', 'secret', 'service', 'job'].includes(name)
}

/** Version 1 of Resource Manager names a project by its bare id. */
function fullName(field: string, text: string): string {
  return field === 'resource' && !text.includes('/') ? `projects/${text}` : text
}

/**
 * The project of `projects/P/...` and `namespaces/P/...`. An account belongs to the project of its email, whatever project the name begins with; a name that
 * is no account's belongs to `-`. Undefined for other names.
 */
function readResource(name: string, emailOfAccount: BorderNeeds['emailOfAccount']) {
  const [, project = '', tail = ''] = /^(?:projects|namespaces)\/([^/]+)(?:\/(.*))?$/s.exec(name) ?? []
  if (project === '') return undefined
  const words = tail.split('/').filter((word) => word !== '')
  const [collection, account, ...below] = words
  if (collection !== 'serviceAccounts' || account === undefined) return { project, rest: words }
  const email = account.includes('@') ? account.toLowerCase() : (emailOfAccount(account) ?? account)
  return { project: projectOfEmail(email) ?? '-', rest: [collection, email, ...below] }
}

/** For a hint. */
function projectIn(resource: string): string {
  const [, project = 'PROJECT', , account = ''] = resource.split('/')
  return project === '-' ? (projectOfEmail(account) ?? 'PROJECT') : project
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path // its handler refuses it
  }
}
