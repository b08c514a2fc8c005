import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  SecretPayloadSchema,
  SecretVersionSchema,
  SecretVersion_State,
  type SecretVersion,
} from '../../api/gen/google/cloud/secretmanager/v1/resources_pb.ts'
import {
  AccessSecretVersionResponseSchema,
  ListSecretVersionsResponseSchema,
  type SecretManagerService,
} from '../../api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { readMessageFilter } from '../../api/filter.ts'
import { CloudError } from '../../base/cloud-error.ts'
import { crc32c } from '../../base/crc32c.ts'
import type { Migration } from '../../state/migrations.ts'
import type { SecretManagerNeeds } from './needs.ts'
import { checkEtag, newEtag } from './etags.ts'
import { automaticStatus, invalid, payloadLimitBytes, readVersionName } from './resources.ts'
import type { Secrets } from './secrets.ts'

type StateName = 'ENABLED' | 'DISABLED' | 'DESTROYED'

interface Row {
  readonly secret: string
  readonly number: number
  readonly state: StateName
  readonly etag: string
  readonly created_ms: number
  readonly destroyed_ms: number | null
  readonly destroy_at_ms: number | null
  readonly checksum_sent: number
  readonly payload: Uint8Array | null
}

export interface Versions {
  /** The payload of `projects/P/secrets/S/versions/V`. @throws CloudError NOT_FOUND, FAILED_PRECONDITION */
  access(name: string): { readonly name: string; readonly payload: Uint8Array }
  rpcs: Partial<ServiceImpl<typeof SecretManagerService>>
}

export const versionTable: Migration = {
  name: 'table of secret versions',
  run: (db) =>
    db.exec(`CREATE TABLE IF NOT EXISTS secret_versions (secret TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, etag TEXT NOT NULL,
      created_ms INTEGER NOT NULL, destroyed_ms INTEGER, destroy_at_ms INTEGER, checksum_sent INTEGER NOT NULL, payload BLOB,
      PRIMARY KEY (secret, number)) WITHOUT ROWID, STRICT`),
}

export function openVersions(needs: SecretManagerNeeds, secrets: Secrets): Versions {
  const { db } = needs.state
  const newest = db.prepare('SELECT * FROM secret_versions WHERE secret = ? ORDER BY number DESC LIMIT 1')
  const one = db.prepare('SELECT * FROM secret_versions WHERE secret = ? AND number = ?')
  const below = db.prepare('SELECT * FROM secret_versions WHERE secret = ? AND number < ? ORDER BY number DESC')
  const insert = db.prepare('INSERT INTO secret_versions VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, ?)')
  const update = db.prepare(
    'UPDATE secret_versions SET state = ?, etag = ?, destroyed_ms = ?, destroy_at_ms = ?, payload = ? WHERE secret = ? AND number = ?',
  )

  const find = (name: string, mayBeAlias: boolean): Row => {
    const { project, secret: id, version } = readVersionName(name)
    const secretName = secrets.canonical(`projects/${project}/secrets/${id}`)
    const secret = secrets.get(secretName)
    if (version === 'latest') {
      const row = newest.get(secretName) as Row | undefined
      if (row === undefined)
        throw new CloudError(
          'NOT_FOUND',
          `Secret [${secretName}] not found or has no versions.`,
          `gcloud secrets versions add ${id} --data-file=FILE`,
        )
      return settle(row)
    }
    const aliased = mayBeAlias ? secret.versionAliases[version] : undefined
    const number = aliased ?? (/^[1-9]\d{0,14}$/.test(version) ? version : undefined)
    const row = number === undefined ? undefined : (one.get(secretName, Number(number)) as Row | undefined)
    if (row === undefined)
      throw new CloudError(
        'NOT_FOUND',
        `Secret Version [${secretName}/versions/${version}] not found.`,
        `gcloud secrets versions list ${id}`,
      )
    return settle(row)
  }
  /** The version now: a delayed destruction that is due counts as done. */
  const settle = (row: Row): Row => {
    if (row.destroy_at_ms === null || row.destroy_at_ms > needs.clock.nowMs() || row.state === 'DESTROYED') return row
    const destroyed: Row = { ...row, state: 'DESTROYED', destroyed_ms: row.destroy_at_ms, destroy_at_ms: null, payload: null }
    void store(destroyed)
    return destroyed
  }
  const store = (row: Row) =>
    needs.state.write(() => void update.run(row.state, row.etag, row.destroyed_ms, row.destroy_at_ms, row.payload, row.secret, row.number))
  const change = async (
    request: { readonly name: string; readonly etag: string },
    make: (row: Row) => Partial<Row>,
  ): Promise<SecretVersion> => {
    const row = find(request.name, false)
    checkEtag(request.etag, row.etag)
    if (row.state === 'DESTROYED') throw inState(row)
    const changed = { ...row, ...make(row), etag: newEtag() }
    await store(changed)
    return toVersion(changed)
  }
  const access = (name: string) => {
    const row = find(name, true)
    if (row.state !== 'ENABLED' || row.payload === null) throw inState(row)
    return { name: versionName(row), payload: row.payload }
  }
  return {
    access,
    rpcs: {
      async addSecretVersion(request) {
        const secret = secrets.get(request.parent)
        const data = request.payload?.data ?? new Uint8Array()
        const sent = request.payload?.dataCrc32c
        if (data.length === 0) throw invalid('Secret Payload cannot be empty.')
        if (data.length > payloadLimitBytes) throw invalid(`Secret Payload cannot be larger than ${payloadLimitBytes} bytes.`)
        if (sent !== undefined && sent !== BigInt(crc32c(data))) throw invalid('The checksum data_crc32c does not match the payload.')
        const row = await needs.state.write(() => {
          const last = (newest.get(secret.name) as Row | undefined)?.number ?? 0
          insert.run(secret.name, last + 1, 'ENABLED', newEtag(), needs.clock.nowMs(), sent === undefined ? 0 : 1, data)
          return one.get(secret.name, last + 1) as unknown as Row
        })
        return toVersion(row)
      },
      getSecretVersion: (request) => toVersion(find(request.name, true)),
      listSecretVersions(request) {
        const secret = secrets.get(request.parent)
        const after = request.pageToken === '' ? Number.MAX_SAFE_INTEGER : Number(request.pageToken)
        if (!Number.isSafeInteger(after)) throw invalid('page_token is not one that this list gave.')
        const passes = readMessageFilter(request.filter, SecretVersionSchema)
        const all = (below.all(secret.name, Number.MAX_SAFE_INTEGER) as unknown as Row[])
          .map(settle)
          .filter((row) => passes(toVersion(row)))
        const rows = all.filter(({ number }) => number < after)
        if (request.pageSize < 0) throw invalid('page_size must not be negative.')
        const size = Math.min(request.pageSize || 100, 25_000)
        return create(ListSecretVersionsResponseSchema, {
          versions: rows.slice(0, size).map(toVersion),
          nextPageToken: rows.length > size ? String(rows[size - 1]?.number ?? '') : '',
          totalSize: all.length,
        })
      },
      accessSecretVersion(request) {
        const { name, payload } = access(request.name)
        const data = create(SecretPayloadSchema, { data: new Uint8Array(payload), dataCrc32c: BigInt(crc32c(payload)) })
        return create(AccessSecretVersionResponseSchema, { name, payload: data })
      },
      enableSecretVersion: (request) => change(request, () => ({ state: 'ENABLED', destroy_at_ms: null })),
      disableSecretVersion: (request) => change(request, () => ({ state: 'DISABLED' })),
      destroySecretVersion: (request) =>
        change(request, (row) => {
          const delay = secrets.get(row.secret).versionDestroyTtl
          const nowMs = needs.clock.nowMs()
          if (delay !== undefined) return { state: 'DISABLED', destroy_at_ms: nowMs + Number(delay.seconds) * 1000 }
          return { state: 'DESTROYED', destroyed_ms: nowMs, payload: null }
        }),
    },
  }
}

function toVersion(row: Row): SecretVersion {
  const version = create(SecretVersionSchema, {
    name: versionName(row),
    createTime: timestampFromMs(row.created_ms),
    state: SecretVersion_State[row.state],
    etag: row.etag,
    clientSpecifiedPayloadChecksum: row.checksum_sent === 1,
    replicationStatus: automaticStatus(),
  })
  if (row.destroyed_ms !== null) version.destroyTime = timestampFromMs(row.destroyed_ms)
  if (row.destroy_at_ms !== null) version.scheduledDestroyTime = timestampFromMs(row.destroy_at_ms)
  return version
}

function versionName(row: Row): string {
  return `${row.secret}/versions/${row.number}`
}

function inState(row: Row): CloudError {
  return new CloudError(
    'FAILED_PRECONDITION',
    `Secret Version [${versionName(row)}] is in ${row.state} state.`,
    'Enable it, or add a new version.',
  )
}
