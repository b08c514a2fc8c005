import type { ProductOffer } from '../../api/product.ts'
import { faults } from './faults.ts'
import { storageSection } from './section.ts'

export const storageOffer: ProductOffer = {
  name: 'storage',
  section: storageSection,
  faults,
  apis: {
    'storage-api.googleapis.com': 'Google Cloud Storage JSON API',
    'storage-component.googleapis.com': 'Cloud Storage',
    'storage.googleapis.com': 'Cloud Storage API',
  },
  endpoints: (base) => ({
    STORAGE_EMULATOR_HOST: base,
    AWS_ENDPOINT_URL_S3: base,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${base}/storage/v1/`,
    GOOGLE_STORAGE_CUSTOM_ENDPOINT: `${base}/storage/v1/`,
  }),
}
