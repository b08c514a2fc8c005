import type { ProductOffer } from '../../api/product.ts'
import { faults } from './faults.ts'
import { instanceKind } from './instances.ts'
import { sqlOperationKind } from './operations.ts'
import { sqlSection } from './section.ts'

export const sqlOffer: ProductOffer = {
  name: 'sql',
  section: sqlSection,
  faults,
  kinds: [instanceKind, sqlOperationKind],
  apis: { 'sql-component.googleapis.com': 'Cloud SQL', 'sqladmin.googleapis.com': 'Cloud SQL Admin API' },
  endpoints: (base) => ({
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL: `${base}/`,
    GOOGLE_SQL_CUSTOM_ENDPOINT: `${base}/sql/v1beta4/`, // the client strips two parts of the path
  }),
}
