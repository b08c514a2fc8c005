/** What a role allows between projects, by the local name of an RPC, or of a permission of Cloud Storage. */
type Grants = (action: string) => boolean

const reads = /^(get|list|search|query|test|batchGet|wait|lookup)/
const isPolicyChange = (action: string) => action === 'setIamPolicy'
/** Methods that give payloads and credentials. No role for viewers allows them. */
const isCredential = (action: string) => /^(accessSecretVersion|actAs|generate\w+|sign\w+|connect|createServiceAccountKey)$/.test(action)

const only =
  (...actions: readonly string[]): Grants =>
  (action) =>
    actions.includes(action)
const looks: Grants = (action) => reads.test(action)
const changes: Grants = (action) => !isPolicyChange(action) && !isCredential(action)
const all: Grants = () => true
const tokens = ['generateAccessToken', 'generateIdToken', 'signBlob', 'signJwt'] as const

/**
 * The predefined roles, with what they allow between projects. Sources: cloud.google.com/iam/docs/roles-permissions, the pages of basic roles,
 * secretmanager, run, cloudsql, iam, serviceusage, resourcemanager.
 */
const basic: Readonly<Record<string, Grants>> = {
  'roles/owner': (action) => !isCredential(action) || action === 'accessSecretVersion' || action === 'connect',
  'roles/editor': changes,
  'roles/viewer': looks,
  'roles/browser': only('getProject', 'getIamPolicy'),
}
const byService: Readonly<Record<string, Readonly<Record<string, Grants>>>> = {
  secrets: {
    'secretmanager.admin': all,
    'secretmanager.secretAccessor': only('accessSecretVersion'),
    'secretmanager.secretVersionAdder': only('addSecretVersion'),
    'secretmanager.secretVersionManager': (action) => /SecretVersion/.test(action) && action !== 'accessSecretVersion',
    'secretmanager.viewer': looks,
  },
  run: {
    'run.admin': all,
    'run.developer': changes,
    'run.viewer': looks,
    'run.invoker': only('runJob'),
    'run.jobsExecutor': only('runJob', 'getJob'),
    'run.jobsExecutorWithOverrides': only('runJob', 'getJob'),
  },
  sql: {
    'cloudsql.admin': all,
    'cloudsql.editor': (action) => changes(action) || action === 'connect',
    'cloudsql.client': only('connect', 'get'),
    'cloudsql.viewer': looks,
  },
  serviceAccounts: {
    'iam.serviceAccountTokenCreator': only(...tokens),
    'iam.serviceAccountOpenIdTokenCreator': only('generateIdToken'),
    'iam.workloadIdentityUser': only('generateAccessToken', 'generateIdToken'),
    'iam.serviceAccountUser': only('actAs', 'getServiceAccount', 'listServiceAccounts'),
    'iam.serviceAccountAdmin': (action) => !isCredential(action),
    'iam.serviceAccountKeyAdmin': (action) => /ServiceAccountKey/.test(action),
    'iam.serviceAccountViewer': looks,
  },
  project: {
    'resourcemanager.projectIamAdmin': only('getIamPolicy', 'setIamPolicy', 'getProject'),
    'resourcemanager.projectViewer': looks,
    'storage.admin': all,
    'iam.securityAdmin': only('getIamPolicy', 'setIamPolicy'),
    'iam.securityReviewer': looks,
    'serviceusage.serviceUsageAdmin': all,
    'serviceusage.serviceUsageConsumer': only('getService', 'listServices', 'batchGetServices'),
    'serviceusage.serviceUsageViewer': looks,
  },
}

/** @param resource a full name; it decides which service's roles count */
export function roleGrants(role: string, resource: string, action: string): boolean {
  const known = basic[role] ?? byService[serviceOf(resource)]?.[role.replace(/^roles\//, '')]
  return known?.(action) === true
}

function serviceOf(resource: string): string {
  const collection = /^projects\/[^/]+\/(?:locations\/[^/]+\/)?([A-Za-z]+)/.exec(resource)?.[1] ?? ''
  return collections[collection] ?? 'project'
}

const collections: Readonly<Record<string, string>> = {
  secrets: 'secrets',
  services: 'run',
  jobs: 'run',
  workerPools: 'run',
  workerpools: 'run',
  operations: 'run',
  instances: 'sql',
  serviceAccounts: 'serviceAccounts',
}
