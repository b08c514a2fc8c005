import type { ProductOffer } from '../../api/product.ts'
import { accountKind } from './accounts.ts'

export const iamOffer: ProductOffer = {
  name: 'iam',
  kinds: [accountKind],
  apis: {
    'cloudresourcemanager.googleapis.com': 'Cloud Resource Manager API',
    'iam.googleapis.com': 'Identity and Access Management (IAM) API',
    'iamcredentials.googleapis.com': 'IAM Service Account Credentials API',
    'serviceusage.googleapis.com': 'Service Usage API',
  },
}
