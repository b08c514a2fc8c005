import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/base/clock.ts'
import { crc32c } from '../../../src/base/crc32c.ts'
import { openObjectStore } from '../../../src/objects/object-store.ts'
import { combineCrc32c } from '../../../src/objects/running-sums.ts'
import { objectTables } from '../../../src/objects/schema.ts'
import type { Content } from '../../../src/objects/stored.ts'
import { openCollection } from '../../../src/state/collection.ts'
import { openState } from '../../../src/state/state.ts'

/**
 * `node store-workload.ts DIRECTORY LANES ROUNDS`: makes, replaces, copies, composes and deletes objects and rows, lane beside lane. Says on stdout
 * what it begins, `begin LANE NAME VALUE`, and what was acknowledged, `done NAME VALUE`: a value is a checksum, a row's text, or `-`.
 */
const [directory = '', lanes = '1', rounds = '1'] = process.argv.slice(2)
const say = (line: string) => void writeSync(1, `${line}\n`)
const state = openState(directory, [objectTables])
const store = await openObjectStore(state, systemClock)
const rows = openCollection(state, 'workload')
if (store.findBucket('b') === undefined) await store.createBucket({ name: 'b', project: 'p', versioned: false, attributes: '{}' })

const acknowledged = async (name: string, value: string, work: () => Promise<unknown>) => {
  say(`begin ${name} ${value}`)
  try {
    await work()
  } catch (error) {
    const { fault = 'none' } = error as { readonly fault?: string }
    return say(`failed ${name} ${fault} ${(error as Error).message}`)
  }
  say(`done ${name} ${value}`)
}
const key = (name: string) => ({ bucket: 'b', name, generation: undefined })
const put = (name: string, content: Content) => store.put({ bucket: 'b', name, content, attributes: '{}', preconditions: {} })
const bytesOf = (name: string, sizeBytes: number) => Buffer.alloc(sizeBytes, `${name} of ${sizeBytes} `)

async function lane(at: number): Promise<void> {
  const [small, large, other, row, resumed] = ['small', 'large', 'other', 'row', 'resumed'].map((name) => `${name}-${at}`) as [
    string, string, string, string, string,
  ] // prettier-ignore
  for (let round = 0; round < Number(rounds); round += 1) {
    const little = bytesOf(small, 500 + round)
    await acknowledged(small, String(crc32c(little)), async () => put(small, await store.stage(chunks(little))))
    const much = bytesOf(large, 40_000 + round * 1000)
    await acknowledged(large, String(crc32c(much)), async () => put(large, await store.stage(chunks(much))))
    await acknowledged(row, `text-${round}`, () => rows.put(row, `text-${round}`))
    const both = combineCrc32c(crc32c(little), crc32c(much), much.length)
    await acknowledged(other, String(both), () => {
      const [first, second] = [store.object(key(small)), store.object(key(large))]
      const ids = [...first.blobs, ...second.blobs]
      return put(other, {
        sizeBytes: little.length + much.length,
        crc32c: both,
        md5: undefined,
        componentCount: 2,
        bytes: { kind: 'blobs', ids },
      })
    })
    const parts = bytesOf(resumed, 300_000)
    await acknowledged(resumed, String(crc32c(parts)), async () => {
      const upload = await store.uploads.start(1, resumed, '{}')
      const half = await store.uploads.append(upload, chunks(parts.subarray(0, 262_144)), false)
      const whole = await store.uploads.append(half, chunks(parts.subarray(262_144)), true)
      const content = await store.uploads.content(whole)
      await store.put({
        bucket: 'b', name: resumed, content, attributes: '{}', preconditions: {}, also: () => store.uploads.complete(upload.id, '{}'),
      }) // prettier-ignore
    })
    if (round % 2 === 1) {
      await acknowledged(large, '-', () => store.remove(key(large), {}))
      await acknowledged(row, '-', () => rows.delete(row))
    }
  }
}

async function* chunks(data: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < data.length; at += 20_000) yield data.subarray(at, at + 20_000)
}

await Promise.all(Array.from({ length: Number(lanes) }, (_, at) => lane(at)))
say('over')
