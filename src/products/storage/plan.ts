import type { GoogleApi } from '../../api/google-api.ts'
import { created, toStep, type ProductPlan, type Site, type Step } from '../../api/product-plan.ts'
import { isRecord } from '../../base/is-record.ts'
import type { WantedBucket, WantedBuckets } from './section.ts'

const storage = 'https://storage.googleapis.com/storage/v1'
const reader = 'roles/storage.objectViewer'

/** Names of buckets that are there, and whether everybody may read their objects. */
type Observed = ReadonlyMap<string, { readonly isPublic: boolean }>

/** Buckets. A public one is opened to all; a bucket that a policy opened otherwise is left so. */
export async function planBuckets(wanted: WantedBuckets, site: Site): Promise<ProductPlan> {
  const observed = await observe(wanted, site.api)
  return {
    steps: bucketSteps(wanted, observed),
    async execute({ id }) {
      const bucket = wanted.buckets.find((one) => stepId(one) === id)
      return bucket === undefined ? 'kept' : await make(bucket, observed, site)
    },
  }
}

/** Pure. */
function bucketSteps({ buckets }: WantedBuckets, observed: Observed): readonly Step[] {
  return buckets.map((bucket) => {
    const found = observed.get(bucket.name)
    const cause = found === undefined ? created(bucket.from) : bucket.public && !found.isPublic ? 'opened to all' : undefined
    return toStep({ id: stepId(bucket), name: `bucket ${bucket.name}`, stage: 'resource', after: [] }, cause)
  })
}

function stepId({ name }: WantedBucket): string {
  return `bucket:${name}`
}

async function observe({ buckets }: WantedBuckets, api: GoogleApi): Promise<Observed> {
  const found = buckets.map(async ({ name }) => {
    if ((await api.find(`${storage}/b/${name}`)) === undefined) return []
    const { bindings } = await api.call('GET', `${storage}/b/${name}/iam`)
    const isPublic = (Array.isArray(bindings) ? bindings.filter(isRecord) : []).some(
      ({ role, members }) => role === reader && Array.isArray(members) && members.includes('allUsers'),
    )
    return [[name, { isPublic }]] as const
  })
  return new Map((await Promise.all(found)).flat())
}

async function make({ name, public: isPublic }: WantedBucket, observed: Observed, { api, project, region }: Site): Promise<string> {
  const found = observed.get(name)
  if (found === undefined) await api.call('POST', `${storage}/b?project=${project}`, { name, location: region })
  if (isPublic && found?.isPublic !== true) {
    await api.call('PUT', `${storage}/b/${name}/iam`, {
      bindings: [
        { role: 'roles/storage.legacyBucketOwner', members: [`projectOwner:${project}`] },
        { role: reader, members: ['allUsers'] },
      ],
    })
  }
  return found === undefined ? 'created' : 'kept'
}
