import { createWriteStream, existsSync } from 'node:fs'
import { chmod, lstat, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CloudError } from '../../base/cloud-error.ts'
import type { Log } from '../../base/log.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { StoredObject } from '../../objects/stored.ts'
import { filesOf, folderPlan, isPath, type FolderStep, type InStep, type SeenFile } from './folder-plan.ts'
import { lookAt, makeFolder, moveInto, openFile, removeFile } from './inside-folder.ts'
import type { Objects } from './objects.ts'

/** How often the folder is looked at, at most. A file that is the same at two looks counts as closed. */
const lookMs = 500
/** Of a core, while nothing changes: a folder of many files is looked at less often. */
const mostShare = 0.02
const longestRestMs = 3000
/** Steps at a time. */
const lanes = 8

/** A bucket as a folder of this host, kept in step both ways until it is disposed. */
export interface BucketFolder extends AsyncDisposable {
  readonly path: string
}

export interface BucketFolderParts {
  readonly store: ObjectStore
  readonly objects: Objects
  readonly log: Log
}

/**
 * Fills `directory`/files from `bucket`, then keeps both in step: folderPlan says how. What was in step is kept beside it, so that after a restart
 * a deletion on one side is told from something new on the other.
 * @throws CloudError BUCKET_NOT_FOUND
 */
export async function openBucketFolder(parts: BucketFolderParts, bucket: string, directory: string): Promise<BucketFolder> {
  const { store, log } = parts
  const made = store.findBucket(bucket)
  if (made === undefined) {
    const message = `The bucket ${bucket} does not exist.`
    throw new CloudError('NOT_FOUND', message, `gcloud storage buckets create gs://${bucket}`, { fault: 'BUCKET_NOT_FOUND' })
  }
  const at = { root: join(directory, 'files'), drafts: join(directory, 'drafts') }
  let { generation } = made
  const index = () => join(directory, `in-step-${generation}.json`)
  const ofOldDaemon = join(directory, 'in-step.json') // which did not tell one bucket of a name from the next
  if (existsSync(ofOldDaemon)) await rename(ofOldDaemon, index())
  if (!existsSync(index())) await rm(directory, { recursive: true, force: true })
  await rm(at.drafts, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const path of [at.root, at.drafts]) await mkdir(path, { recursive: true })
  await chmod(at.root, 0o777)
  const inStep = await readIndex(index())
  /** Files that cannot be objects, as they were when they were refused. */
  const refused = new Map<string, SeenFile>()
  let before = new Map<string, SeenFile>()

  const run = async (step: FolderStep): Promise<void> => {
    const { name } = step
    if (step.kind === 'upload') await upload(name)
    if (step.kind === 'download') await download(name)
    if (step.kind === 'removeFile') await removeFile(at.root, name)
    if (step.kind === 'removeObject') {
      // another generation since then is a newer object, which comes back
      await parts.objects.remove({ bucket, name, generation: undefined }, { ifGenerationMatch: step.generation }).catch(() => {})
    }
    if (step.kind !== 'upload' && step.kind !== 'download') inStep.delete(name)
  }
  const upload = async (name: string) => {
    const file = await openFile(at.root, name)
    if (file === undefined) return
    try {
      const { size, mtimeMs } = await file.stat()
      const seen = { sizeBytes: size, mtimeMs }
      const wish = { bucket, name, fields: {}, predefinedAcl: undefined, preconditions: {}, caller: undefined }
      const object = await parts.objects
        .insert(wish, size === 0 ? Readable.from([]) : file.createReadStream({ autoClose: false, end: size - 1 }), {})
        .catch((error: unknown) => {
          refused.set(name, seen)
          log.warn({ err: error, bucket, name }, 'a file of the bucket folder cannot be an object')
        })
      if (object !== undefined) inStep.set(name, { ...seen, generation: object.generation })
    } finally {
      await file.close()
    }
  }
  const download = async (name: string) => {
    const object = store.findObject({ bucket, name, generation: undefined })
    if (object === undefined) return
    const draft = join(at.drafts, crypto.randomUUID())
    await writeObject(store, object, draft)
    const { size, mtimeMs } = await lstat(draft)
    if (await moveInto(at.root, name, draft)) inStep.set(name, { sizeBytes: size, mtimeMs, generation: object.generation })
    else await rm(draft, { force: true })
  }

  /** What a bucket that is gone left is nobody's: one that is made again under its name must not inherit it. */
  const startAnew = async () => {
    const again = store.findBucket(bucket)
    if (again === undefined) return
    generation = again.generation
    for (const name of (await lookAt(at.root)).keys()) await removeFile(at.root, name)
    for (const known of [inStep, refused, before]) known.clear()
  }
  let objects = await liveObjects(store, bucket)
  /** Whether the bucket has changed since it was listed. */
  let isStale = false
  /** Answers how long to rest. */
  const cycle = async (): Promise<number> => {
    if (isStale) objects = await liveObjects(store, bucket)
    isStale = false
    if (store.findBucket(bucket)?.generation !== generation) await startAnew()
    const began = performance.now()
    const files = await lookAt(at.root)
    const tookMs = performance.now() - began
    for (const [name, seen] of files) {
      const no = refused.get(name)
      if (no !== undefined && no.sizeBytes === seen.sizeBytes && no.mtimeMs === seen.mtimeMs) files.delete(name)
    }
    const steps = folderPlan(inStep, before, files, objects.files)
    const left = steps.values()
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (const step of left) await run(step)
      }),
    )
    for (const name of objects.folders) await makeFolder(at.root, name.slice(0, -1))
    before = files
    const isQuiet = steps.length === 0 && [...files].every(([name, file]) => inStep.get(name)?.mtimeMs === file.mtimeMs)
    if (steps.length > 0) await writeIndex(index(), inStep)
    return isQuiet ? Math.min(longestRestMs, Math.max(lookMs, tookMs / mostShare)) : lookMs
  }

  const subscription = store.onChange((changed) => {
    if (changed !== bucket) return
    isStale = true
    wake()
  })
  let wake = () => {}
  await cycle()
  await writeIndex(index(), inStep)
  const closing = new AbortController()
  const ended = (async () => {
    let restMs = lookMs
    while (!closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, isStale ? 0 : restMs)
        timer.unref()
        wake = () => (clearTimeout(timer), resolve())
      })
      if (closing.signal.aborted) return
      restMs = await cycle().catch((error: unknown) => {
        log.warn({ err: error, bucket }, 'the bucket folder is not in step')
        return lookMs
      })
    }
  })()
  return {
    path: at.root,
    async [Symbol.asyncDispose]() {
      closing.abort()
      subscription[Symbol.dispose]()
      wake()
      await ended
    },
  }
}

/** Generations of what can be a file, and the names that end in a slash. None when the bucket was deleted. */
async function liveObjects(store: ObjectStore, bucket: string): Promise<{ files: Map<string, number>; folders: string[] }> {
  const all = new Map<string, number>()
  const query = { prefix: '', delimiter: '', startOffset: '', endOffset: '', includeTrailingDelimiter: false, versions: false, limit: 1000 }
  for (let after: Parameters<ObjectStore['list']>[1]['after']; ;) {
    if (store.findBucket(bucket) === undefined) return { files: new Map(), folders: [] }
    const { items, end } = await store.list(bucket, { ...query, after, matches: () => true })
    for (const { name, generation } of items) all.set(name, generation)
    if (end === undefined) break
    after = end
  }
  const files = filesOf(all.keys())
  const folders = [...all.keys()].filter((name) => name.endsWith('/') && isPath(name))
  return { files: new Map([...all].filter(([name]) => files.has(name))), folders }
}

async function writeObject(store: ObjectStore, object: StoredObject, path: string): Promise<void> {
  const bytes = object.sizeBytes === 0 ? Buffer.alloc(0) : store.open(object, 0, object.sizeBytes - 1)
  await pipeline(bytes instanceof Uint8Array ? Readable.from([bytes]) : bytes, createWriteStream(path))
  await chmod(path, 0o666)
  await utimes(path, new Date(), new Date(object.updatedMs))
}

async function readIndex(path: string): Promise<Map<string, InStep>> {
  try {
    return new Map(JSON.parse(await readFile(path, 'utf8')) as [string, InStep][])
  } catch {
    return new Map()
  }
}

async function writeIndex(path: string, inStep: ReadonlyMap<string, InStep>): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify([...inStep]))
  await rename(`${path}.new`, path)
}
