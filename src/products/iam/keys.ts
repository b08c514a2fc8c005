import { create } from '@bufbuild/protobuf'
import { EmptySchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { X509Certificate } from 'node:crypto'
import {
  ListServiceAccountKeysRequest_KeyType as KeyType,
  ListServiceAccountKeysResponseSchema,
  ServiceAccountKeyAlgorithm,
  ServiceAccountKeyOrigin,
  ServiceAccountKeySchema,
  ServiceAccountPrivateKeyType,
  ServiceAccountPublicKeyType,
  type IAM,
  type ServiceAccount,
  type ServiceAccountKey,
} from '../../api/gen/google/iam/admin/v1/iam_pb.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { AccountKey } from '../../metadata/account-keys.ts'
import type { Accounts } from './accounts.ts'
import type { IamNeeds } from './needs.ts'
import { keyFile } from './key-file.ts'
import { invalid, readKeyName } from './names.ts'

/** Source: cloud.google.com/iam/quotas, "Keys for each service account". */
const keysPerAccount = 10

/** Keys of service accounts: made, shown and deleted. The private half leaves once, in the key file. */
export function keyRpcs(needs: IamNeeds, accounts: Accounts): Partial<ServiceImpl<typeof IAM>> {
  const { accountKeys } = needs.tokens
  const find = (name: string) => {
    const { account: accountName, key: id } = readKeyName(name)
    const account = accounts.get(accountName)
    const key = accountKeys.get(account.email, id)
    if (key !== undefined) return { account, key }
    throw new CloudError('NOT_FOUND', `Service account key ${name} does not exist.`, `gcloud iam service-accounts keys list`)
  }
  const change = (name: string) => {
    const found = find(name)
    if (found.key.kind === 'user') return found
    throw new CloudError('FAILED_PRECONDITION', `Key ${found.key.id} is managed by the system.`, 'Only user-managed keys can be changed.')
  }
  const setDisabled = async (name: string, disabled: boolean) => {
    await accountKeys.put({ ...change(name).key, disabled })
    return create(EmptySchema)
  }
  return {
    async createServiceAccountKey(request) {
      const account = accounts.get(request.name)
      if (request.privateKeyType === ServiceAccountPrivateKeyType.TYPE_PKCS12_FILE) {
        throw new CloudError(
          'UNIMPLEMENTED',
          'devcloud does not emulate keys of TYPE_PKCS12_FILE.',
          'Ask for TYPE_GOOGLE_CREDENTIALS_FILE.',
        )
      }
      if (request.keyAlgorithm === ServiceAccountKeyAlgorithm.KEY_ALG_RSA_1024) {
        throw new CloudError('UNIMPLEMENTED', 'devcloud does not emulate keys of KEY_ALG_RSA_1024.', 'Ask for KEY_ALG_RSA_2048.')
      }
      if (accountKeys.list(account.email).filter(({ kind }) => kind === 'user').length >= keysPerAccount) {
        throw new CloudError(
          'FAILED_PRECONDITION',
          `Service account ${account.email} has ${keysPerAccount} keys, which is the most.`,
          'Delete one first.',
        )
      }
      const { key, privateKey } = await accountKeys.make(account.email)
      return create(ServiceAccountKeySchema, {
        ...toServiceAccountKey(account, key),
        privateKeyType: ServiceAccountPrivateKeyType.TYPE_GOOGLE_CREDENTIALS_FILE,
        privateKeyData: Buffer.from(keyFile(account, key.id, privateKey)),
      })
    },
    getServiceAccountKey(request) {
      const { account, key } = find(request.name)
      return create(ServiceAccountKeySchema, {
        ...toServiceAccountKey(account, key),
        publicKeyData: publicKeyData(key, request.publicKeyType),
      })
    },
    listServiceAccountKeys(request) {
      const account = accounts.get(request.name)
      const { keyTypes } = request
      if (keyTypes.includes(KeyType.KEY_TYPE_UNSPECIFIED)) throw invalid('key_types must not hold KEY_TYPE_UNSPECIFIED.')
      const keys = accountKeys.list(account.email).map((key) => toServiceAccountKey(account, key))
      return create(ListServiceAccountKeysResponseSchema, {
        keys: keys.filter(({ keyType }) => keyTypes.length === 0 || keyTypes.includes(keyType)),
      })
    },
    async deleteServiceAccountKey(request) {
      const { key } = change(request.name)
      await accountKeys.delete(key.email, key.id)
      return create(EmptySchema)
    },
    disableServiceAccountKey: (request) => setDisabled(request.name, true),
    enableServiceAccountKey: (request) => setDisabled(request.name, false),
  }
}

function toServiceAccountKey(account: ServiceAccount, key: AccountKey): ServiceAccountKey {
  return create(ServiceAccountKeySchema, {
    name: `${account.name}/keys/${key.id}`,
    keyAlgorithm: ServiceAccountKeyAlgorithm.KEY_ALG_RSA_2048,
    keyOrigin: ServiceAccountKeyOrigin.GOOGLE_PROVIDED,
    keyType: key.kind === 'user' ? KeyType.USER_MANAGED : KeyType.SYSTEM_MANAGED,
    validAfterTime: timestampFromMs(key.validAfterMs),
    validBeforeTime: timestampFromMs(key.validBeforeMs),
    disabled: key.disabled,
  })
}

function publicKeyData({ certificate }: AccountKey, type: ServiceAccountPublicKeyType): Uint8Array {
  if (type === ServiceAccountPublicKeyType.TYPE_X509_PEM_FILE) return Buffer.from(certificate)
  if (type !== ServiceAccountPublicKeyType.TYPE_RAW_PUBLIC_KEY) return new Uint8Array()
  return Buffer.from(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }))
}
