import { clone, create } from '@bufbuild/protobuf'
import { EmptySchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { SecretSchema, type Secret } from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import { ListSecretsResponseSchema, type SecretManagerService } from '../../api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { readMessageFilter } from '../../api/filter.ts'
import { applyMask } from '../../api/masks.ts'
import { paginate } from '../../api/pages.ts'
import { readMessage, writeMessage } from '../../api/message-row.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { openCollection, type Collection } from '../../state/collection.ts'
import type { SecretManagerNeeds } from './needs.ts'
import { checkEtag, invalid, isExpired, newEtag, readSecretName } from './resources.ts'
import { checkSecret, checkSecretId } from './secret-rules.ts'

/** The rows of the secrets, by their name with the project's number. */
export interface Secrets {
  readonly rows: Collection
  /** `projects/NUMBER/secrets/S` of a name with id or number. */
  canonical(name: string): string
  /** @throws CloudError NOT_FOUND, also when its time is over */
  get(name: string): Secret
  rpcs: Partial<ServiceImpl<typeof SecretManagerService>>
}

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
  const rows = openCollection(needs.state, 'secretmanager.secret')
  const canonical = (name: string) => {
    const { project, secret } = readSecretName(name)
    return `projects/${needs.project(project).number}/secrets/${secret}`
  }
  const find = (name: string) => {
    const value = rows.get(name)
    const secret = value === undefined ? undefined : readMessage(SecretSchema, value)
    return secret === undefined || isExpired(secret, needs.clock.nowMs()) ? undefined : secret
  }
  const get = (name: string) => {
    const known = canonical(name)
    const secret = find(known)
    if (secret === undefined)
      throw new CloudError('NOT_FOUND', `Secret [${known}] not found.`, `gcloud secrets create ${readSecretName(known).secret}`)
    return secret
  }
  const put = async (secret: Secret) => {
    if (secret.expiration.case === 'ttl') {
      const atMs = needs.clock.nowMs() + Number(secret.expiration.value.seconds) * 1000
      secret.expiration = { case: 'expireTime', value: timestampFromMs(atMs) }
    }
    secret.etag = newEtag()
    await rows.put(secret.name, writeMessage(SecretSchema, secret))
    return secret
  }
  const removeVersions = (name: string) =>
    needs.state.write((db) => void db.prepare('DELETE FROM secret_versions WHERE secret = ?').run(name))
  return {
    rows,
    canonical,
    get,
    rpcs: {
      async createSecret(request) {
        const secret = clone(SecretSchema, request.secret ?? create(SecretSchema))
        checkSecretId(request.secretId)
        checkSecret(secret, needs.clock.nowMs(), allFields)
        const name = canonical(`${request.parent}/secrets/${request.secretId}`)
        if (find(name) !== undefined)
          throw new CloudError('ALREADY_EXISTS', `Secret [${name}] already exists.`, 'Add a version to it, or choose another id.')
        secret.name = name
        secret.createTime = timestampFromMs(needs.clock.nowMs())
        // What an expired secret of this name left goes first, all of it in one transaction.
        const [, , made] = await Promise.all([rows.delete(name), removeVersions(name), put(secret)])
        return made
      },
      getSecret: (request) => get(request.name),
      listSecrets(request) {
        const prefix = canonical(`${request.parent}/secrets/x`).slice(0, -1)
        const passes = readMessageFilter(request.filter, SecretSchema)
        const matches = (value: string) => {
          const secret = readMessage(SecretSchema, value)
          return !isExpired(secret, needs.clock.nowMs()) && passes(secret)
        }
        const all = rows.list(prefix).filter((row) => matches(row.value))
        const page = paginate(
          { ...rows, list: (_prefix, after = '', limit = -1) => all.filter((row) => row.name > after).slice(0, limit) },
          prefix,
          request.pageSize,
          request.pageToken,
        )
        return create(ListSecretsResponseSchema, {
          secrets: page.items.map((row) => readMessage(SecretSchema, row.value)),
          nextPageToken: page.nextPageToken,
          totalSize: all.length,
        })
      },
      async updateSecret(request) {
        const sent = request.secret ?? create(SecretSchema)
        const current = get(sent.name)
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
        const secret = get(request.name)
        checkEtag(request.etag, secret.etag)
        await Promise.all([rows.delete(secret.name), removeVersions(secret.name)])
        return create(EmptySchema)
      },
    },
  }
}
