import type { KeyObject } from 'node:crypto'
import { storageOffer } from './offer.ts'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Caller } from '../../api/caller.ts'
import type { Product } from '../../api/product.ts'
import { hostOf } from '../../api/routes.ts'
import { sendError } from '../../api/send-error.ts'
import type { ProjectIds } from '../../api/project-ids.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { openObjectStore, type ObjectStore } from '../../objects/object-store.ts'
import type { StoredBucket } from '../../objects/stored.ts'
import type { State } from '../../state/state.ts'
import { checkAccess, type Asker, type Bindings } from './access.ts'
import { openBucketFolder, type BucketFolder } from './bucket-folder.ts'
import { Buckets } from './buckets.ts'
import { Objects } from './objects.ts'
import { planBuckets } from './plan.ts'
import type { WantedBuckets } from './section.ts'
import { sendJsonError, serveJson } from './wire/json.ts'
import { sendXmlError } from './wire/xml-error.ts'
import { bucketOfHost } from './wire/xml-target.ts'
import { isOfOthers, xmlHandler } from './wire/xml.ts'

/** What Cloud Storage stands on, handed in by the daemon. */
export { storageOffer } from './offer.ts'
export interface CloudStorageNeeds {
  readonly state: State
  readonly clock: Clock
  readonly log: Log
  /** A project by id or number. */
  readonly project: (idOrNumber: string) => ProjectIds
  /** By which a service account's signed URLs are known; none for an account that is not of this machine. */
  readonly signingKeys: (email: string) => readonly KeyObject[]
  /** Whether an identity belongs to a project. */
  readonly isAtHome: (caller: Caller, project: string) => boolean
  /** The policy of a project. */
  readonly projectPolicy: (project: string) => { readonly bindings: readonly Bindings[] }
}

export interface CloudStorage extends Product {
  /**
   * A folder of this host that is kept in step with the bucket, both ways, as long as the daemon lives; filled when resolved. For a caller who
   * may read the bucket's objects, and write them unless `readOnly`.
   * @throws CloudError BUCKET_NOT_FOUND, PERMISSION_DENIED
   */
  folder(caller: Caller, bucket: string, readOnly: boolean): Promise<string>
  /** Writes `next` for `member` in every bucket's policy. */
  replaceMember(member: string, next: string): Promise<void>
  /** Removes all that a project has here: held and retained objects, half-made uploads and folders too. For devcloud itself, never for a caller. */
  removeProject(project: string): Promise<void>
}

/** Cloud Storage: the JSON API, and reads of the XML API. The store is opened below the state directory when the wires are mounted. */
export function cloudStorage({ state, clock, log, project, signingKeys, isAtHome, projectPolicy }: CloudStorageNeeds): CloudStorage {
  const asker = (caller: Caller | undefined): Asker => ({
    caller,
    isAtHome: (id) => caller !== undefined && isAtHome(caller, id),
    projectBindings: (id) => projectPolicy(id).bindings,
  })
  let store: ObjectStore | undefined
  const folders = new Map<string, Promise<BucketFolder>>()
  const folderOf = (bucket: string) => join(state.directory, 'buckets', bucket)
  const openFolder = async (bucket: string): Promise<BucketFolder> => {
    store ??= await openObjectStore(state, clock)
    const objects = new Objects(store, new Buckets(store, clock, project), clock)
    return openBucketFolder({ store, objects, log }, bucket, folderOf(bucket))
  }
  const removeBucket = async (bucket: StoredBucket, from: ObjectStore): Promise<void> => {
    const folder = folders.get(bucket.name)
    folders.delete(bucket.name)
    await (await folder?.catch(() => undefined))?.[Symbol.asyncDispose]()
    await from.removeBucketWhole(bucket)
    await rm(folderOf(bucket.name), { recursive: true, force: true })
  }
  return {
    ...storageOffer,
    hosts: [
      'storage.googleapis.com',
      'www.googleapis.com',
      'storage.mtls.googleapis.com',
      '*.storage.googleapis.com',
      'storage.localhost', // where browsers are led, and each bucket's own origin
      '*.storage.localhost',
    ],
    answersAnyone: true,
    services: [],
    async wires(app) {
      store ??= await openObjectStore(state, clock)
      const buckets = new Buckets(store, clock, project)
      const parts = { store, buckets, objects: new Objects(store, buckets, clock), clock, log, project, signingKeys, asker }
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _body, done) => done(null)) // handlers read the stream of the request themselves
      const readXml = xmlHandler(parts)
      await app.register(async (scope) => serveJson(scope, parts, readXml))
      app.all('/*', readXml)
    },
    refuse(request, reply, error) {
      const isJson = /^\/(b|storage|download|upload|resumable|batch)\//.test(request.raw.url ?? '')
      if (isJson && bucketOfHost(hostOf(request.headers)) === undefined) return sendJsonError(request, reply, error, log)
      return isOfOthers(request) ? sendError(request, reply, error, log) : sendXmlError(request, reply, error, log)
    },
    async replaceMember(member, next) {
      store ??= await openObjectStore(state, clock)
      await new Buckets(store, clock, project).replaceMember(member, next)
    },
    async folder(caller, bucket, readOnly) {
      store ??= await openObjectStore(state, clock)
      const found = store.findBucket(bucket) // the folder's opening says by name that there is none
      if (found !== undefined) checkAccess(asker(caller), 'storage.objects.list', found)
      if (found !== undefined && !readOnly) checkAccess(asker(caller), 'storage.objects.create', found)
      const opening = folders.get(bucket) ?? openFolder(bucket)
      folders.set(bucket, opening)
      opening.catch(() => folders.delete(bucket))
      return (await opening).path
    },
    plan: (wanted, site) => planBuckets(wanted as WantedBuckets, site),
    async list(id) {
      store ??= await openObjectStore(state, clock)
      return store.listBuckets(id, '', '', 10_000).items.map(({ name }) => ({ kind: 'bucket', id: name }))
    },
    projects: () => store?.projects() ?? [],
    async removeProject(id) {
      store ??= await openObjectStore(state, clock)
      for (;;) {
        const { items } = store.listBuckets(id, '', '', 100)
        for (const bucket of items) await removeBucket(bucket, store)
        if (items.length === 0) return
      }
    },
    async [Symbol.asyncDispose]() {
      for (const folder of folders.values()) await (await folder.catch(() => undefined))?.[Symbol.asyncDispose]()
      await store?.[Symbol.asyncDispose]()
    },
  }
}
