import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { writeWhole } from '../base/write-whole.ts'

const schema = z.object({
  kind: z.literal('container'),
  major: z.number(),
  image: z.string(),
  volume: z.string(),
  /** False until the first server has answered. Before that, the volume may be half made and no client knows of the cluster. */
  isInitialized: z.boolean(),
})

/** Where the data of a cluster in a container is; every later daemon reads this file. A cluster without the file is embedded or not made yet. */
export type VolumeRecord = Readonly<z.infer<typeof schema>>

/** @throws Error for a file that cannot be read: to ignore the file would make a new cluster and hide the data */
export function readVolumeRecord(folder: string): VolumeRecord | undefined {
  const path = join(folder, 'place.json')
  return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

/** Writes the file. It is durable when this returns. */
export function writeVolumeRecord(folder: string, record: VolumeRecord): VolumeRecord {
  mkdirSync(folder, { recursive: true })
  writeWhole(join(folder, 'place.json'), JSON.stringify(record), 0o600)
  return record
}

export function removeVolumeRecord(folder: string): void {
  rmSync(join(folder, 'place.json'), { force: true })
}
