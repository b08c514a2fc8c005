import { randomBytes } from 'node:crypto'
import type { GoogleApi } from '../../api/google-api.ts'
import { created, toStep, type ProductPlan, type Site, type Step } from '../../api/product-plan.ts'
import type { WantedSecret, WantedSecrets } from './section.ts'

const secretManager = 'https://secretmanager.googleapis.com/v1'

/** Ids of secrets that are there, and whether they have a version. */
type Observed = ReadonlyMap<string, { readonly hasVersion: boolean }>

/** Plans secrets with a first version. A secret that has a version keeps it. */
export async function planSecrets(wanted: WantedSecrets, { api, project }: Site): Promise<ProductPlan> {
  const observed = await observe(wanted, api, project)
  return {
    steps: secretSteps(wanted, observed),
    async execute({ id }) {
      const secret = wanted.secrets.find((one) => stepId(one) === id)
      return secret === undefined ? 'kept' : await make(api, project, secret, observed.get(secret.id))
    },
  }
}

/** Pure. */
function secretSteps({ secrets }: WantedSecrets, observed: Observed): readonly Step[] {
  return secrets.map((secret) => {
    const found = observed.get(secret.id)
    const cause = found === undefined ? created(secret.from) : found.hasVersion ? undefined : 'first version'
    return toStep({ id: stepId(secret), name: `secret ${secret.id}`, stage: 'resource', after: [] }, cause)
  })
}

function stepId({ id }: WantedSecret): string {
  return `secret:${id}`
}

async function observe({ secrets }: WantedSecrets, api: GoogleApi, project: string): Promise<Observed> {
  const found = secrets.map(async ({ id }) => {
    const url = `${secretManager}/projects/${project}/secrets/${id}`
    if ((await api.find(url)) === undefined) return []
    return [[id, { hasVersion: (await api.find(`${url}/versions/latest`)) !== undefined }]] as const
  })
  return new Map((await Promise.all(found)).flat())
}

async function make(
  api: GoogleApi,
  project: string,
  { id, initial }: WantedSecret,
  found: { readonly hasVersion: boolean } | undefined,
): Promise<string> {
  if (found?.hasVersion === true) return 'kept'
  const secrets = `${secretManager}/projects/${project}/secrets`
  if (found === undefined) await api.call('POST', `${secrets}?secretId=${id}`, { replication: { automatic: {} } })
  const data = initial.kind === 'random' ? Buffer.from(randomBytes(initial.bytes).toString('base64url')) : Buffer.from(initial.data)
  await api.call('POST', `${secrets}/${id}:addVersion`, { payload: { data: data.toString('base64') } })
  return initial.kind === 'random' ? 'made at random' : 'added'
}
