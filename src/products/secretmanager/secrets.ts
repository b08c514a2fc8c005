import { clone, create } from '@bufbuild/protobuf'
import { EmptySchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { SecretSchema, type Secret } from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { ListSecretsResponseSchema, type SecretManagerService } from '../../api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { readMessageFilter } from '../../api/filter.ts'
import { applyMask } from '../../api/masks.ts'
import { paginate } from '../../api/pages.ts'
import { messageKind } from '../../api/message-row.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { belongingRows } from '../../state/belongings.ts'
import { openResources, type Resources } from '../../state/resources.ts'
import type { SecretManagerNeeds } from './needs.ts'
import { checkEtag, newEtag } from './etags.ts'
import { invalid, isExpired, readSecretName } from './resources.ts'
import { checkSecret, checkSecretId } from './secret-rules.ts'

/** By their name with the project's number. One whose time is over counts as deleted. */
export interface Secrets extends Resources<Secret> {
  rpcs: Partial<ServiceImpl<typeof SecretManagerService>>
}

export const secretKind = messageKind('secretmanager.secret', SecretSchema)

const mutable = new Set([
  'labels',
  'annotations',
  'topics',
  'expire_time',
  'ttl',
  'rotation',
  'version_aliases',
  'etag',
  'version_destroy_ttl',
])
const allFields: ReadonlySet<string> = new Set(SecretSchema.fields.map(({ name }) => name))

export function openSecrets(needs: SecretManagerNeeds): Secrets {
  const canonical = (name: string) => {
    const { project, secret } = readSecretName(name)
    return `projects/${needs.project(project).number}/secrets/${secret}`
  }
  const secrets = openResources(needs.state, secretKind, {
    canonical,
    missing(name) {
      const known = canonical(name)
      return new CloudError('NOT_FOUND', `Secret [${known}] not found.`, `gcloud secrets create ${readSecretName(known).secret}`)
    },
    isGone: (secret) => isExpired(secret, needs.clock.nowMs()),
    belongings: [belongingRows(needs.state, 'secret_versions', 'secret')],
  })
  const put = (secret: Secret) => {
    if (secret.expiration.case === 'ttl') {
      const atMs = needs.clock.nowMs() + Number(secret.expiration.value.seconds) * 1000
      secret.expiration = { case: 'expireTime', value: timestampFromMs(atMs) }
    }
    secret.etag = newEtag()
    return secrets.put(secret)
  }
  return {
    ...secrets,
    rpcs: {
      async createSecret(request) {
        const secret = clone(SecretSchema, request.secret ?? create(SecretSchema))
        checkSecretId(request.secretId)
        checkSecret(secret, needs.clock.nowMs(), allFields)
        const name = canonical(`${request.parent}/secrets/${request.secretId}`)
        if (secrets.find(name) !== undefined)
          throw new CloudError('ALREADY_EXISTS', `Secret [${name}] already exists.`, 'Add a version to it, or choose another id.')
        secret.name = name
        secret.createTime = timestampFromMs(needs.clock.nowMs())
        // What an expired secret of this name left goes first, all of it in one transaction.
        const [, made] = await Promise.all([secrets.delete(name), put(secret)])
        return made
      },
      getSecret: (request) => secrets.get(request.name),
      listSecrets(request) {
        const parent = canonical(`${request.parent}/secrets/x`).slice(0, -'/x'.length)
        const all = secrets.list(parent).filter(readMessageFilter(request.filter, SecretSchema))
        const page = paginate(
          (after, limit) => all.filter(({ name }) => name > after).slice(0, limit),
          parent,
          request.pageSize,
          request.pageToken,
        )
        return create(ListSecretsResponseSchema, {
          secrets: [...page.items],
          nextPageToken: page.nextPageToken,
          totalSize: all.length,
        })
      },
      async updateSecret(request) {
        const sent = request.secret ?? create(SecretSchema)
        const current = secrets.get(sent.name)
        const paths = request.updateMask?.paths ?? []
        if (paths.length === 0) throw invalid('update_mask must be set.')
        const fixed = paths.find((path) => !mutable.has(path.split('.')[0] ?? ''))
        if (fixed !== undefined) throw invalid(`update_mask: "${fixed}" is not a field of a secret that can be changed.`)
        checkEtag(sent.etag, current.etag)
        const secret = applyMask(SecretSchema, current, sent, paths)
        checkSecret(secret, needs.clock.nowMs(), new Set(paths.map((path) => path.split('.')[0] ?? '')))
        return put(secret)
      },
      async deleteSecret(request) {
        const secret = secrets.get(request.name)
        checkEtag(request.etag, secret.etag)
        await secrets.delete(secret.name)
        return create(EmptySchema)
      },
    },
  }
}
