import type { ProductOffer } from '../../api/product.ts'
import { buildKind } from './project/builds.ts'
import { runSection } from './project/section.ts'
import { rowKinds } from './resources.ts'

export const runOffer: ProductOffer = {
  name: 'run',
  section: runSection,
  kinds: [...Object.values(rowKinds), buildKind],
  apis: { 'run.googleapis.com': 'Cloud Run Admin API' },
  endpoints: (base) => ({
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: `${base.replace('localhost', 'run.localhost')}/`, // gcloud puts the region before it
    CLOUDSDK_CORE_SHOULD_PROMPT_TO_ENABLE_API: 'false', // gcloud asks serviceusage.googleapis.com else
    GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT: `${base}/v2/`,
  }),
}
