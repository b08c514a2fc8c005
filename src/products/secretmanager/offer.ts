import type { ProductOffer } from '../../api/product.ts'
import { secretSection } from './section.ts'
import { secretKind } from './secrets.ts'

export const secretManagerOffer: ProductOffer = {
  name: 'secretmanager',
  section: secretSection,
  kinds: [secretKind],
  apis: { 'secretmanager.googleapis.com': 'Secret Manager API' },
  endpoints: (base) => ({
    SECRET_MANAGER_EMULATOR_HOST: base.replace('http://', ''),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${base}/`,
    GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT: `${base}/v1/`,
  }),
}
