import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { openObjectStore, type ObjectStore } from '../../src/objects/object-store.ts'
import type { Preconditions } from '../../src/objects/preconditions.ts'
import type { StoredObject } from '../../src/objects/stored.ts'
import { objectTables } from '../../src/objects/schema.ts'
import { openState, type State } from '../../src/state/state.ts'

export interface GivenStore extends AsyncDisposable {
  readonly state: State
  readonly store: ObjectStore
  readonly directory: string
  put(name: string, data: string | Uint8Array, preconditions?: Preconditions): Promise<StoredObject>
}

/** A store with the bucket `b`, in a fresh directory or one that an earlier store left. */
export async function givenStore(directory = freshDirectory(), clock: Clock = systemClock, versioned = false): Promise<GivenStore> {
  const state = openState(directory, [objectTables])
  const store = await openObjectStore(state, clock)
  if (store.findBucket('b') === undefined) await store.createBucket({ name: 'b', project: 'p', versioned, attributes: '{}' })
  return {
    state,
    store,
    directory,
    async put(name, data, preconditions = {}) {
      const content = await store.stage(inChunks(Buffer.from(data)))
      return store.put({ bucket: 'b', name, content, attributes: '{}', preconditions })
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

export function freshDirectory(): string {
  return join(mkdtempSync(join(tmpdir(), 'devcloud-objects-')), 'state')
}

/** All of an object's bytes, or some. */
export async function bytesOf(store: ObjectStore, object: StoredObject, first = 0, last = object.sizeBytes - 1): Promise<Buffer> {
  const body = store.open(object, first, last)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.concat(await body.toArray())
}

export async function* inChunks(data: Buffer, sizeBytes = 10_000): AsyncIterable<Buffer> {
  for (let at = 0; at < data.length; at += sizeBytes) yield data.subarray(at, at + sizeBytes)
}
