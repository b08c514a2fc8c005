import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { writeWhole } from '../base/write-whole.ts'

const schema = z.object({
  kind: z.literal('container'),
  major: z.number(),
  image: z.string(),
  volume: z.string(),
  /** False until its first server answered: what is in the volume before may be half made, and nobody was told that it is there. */
  isInitialized: z.boolean(),
})

/** Where the data of a cluster lives that runs in a container; every later daemon reads it. One that has none is embedded, or not made yet. */
export type ContainerPlace = Readonly<z.infer<typeof schema>>

/** @throws Error for a file that cannot be read: to take it for none would hide the data behind a new cluster */
export function readPlace(folder: string): ContainerPlace | undefined {
  const path = join(folder, 'place.json')
  return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

/** On the disk when it returns. */
export function writePlace(folder: string, place: ContainerPlace): ContainerPlace {
  mkdirSync(folder, { recursive: true })
  writeWhole(join(folder, 'place.json'), JSON.stringify(place), 0o600)
  return place
}

export function removePlace(folder: string): void {
  rmSync(join(folder, 'place.json'), { force: true })
}
