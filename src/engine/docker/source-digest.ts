import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildSource } from '../engine.ts'
import { ask } from './ask.ts'
import { contextDigest, neverWaits } from './build-context.ts'
import { dockerfileOf } from './build-image.ts'
import type { DockerHost } from './docker-host.ts'
import { needsBuildKit, readInstructions } from './dockerfile-steps.ts'

/**
 * SHA-256, in hex, of all that a build of `source` reads: the context, and the images that the Dockerfile names, as this host has them.
 * Undefined where a build reads more, and where the Dockerfile cannot be read.
 */
export async function sourceDigest(host: DockerHost, source: BuildSource, signal: AbortSignal): Promise<string | undefined> {
  const dockerfile = dockerfileOf(source)
  const text = await readFile(join(source.directory, dockerfile), { encoding: 'utf8', flag: neverWaits }).catch(() => undefined)
  const images = text === undefined ? undefined : imagesRead(text)
  if (images === undefined) return undefined
  const digest = createHash('sha256').update(await contextDigest(source.directory, dockerfile))
  for (const image of images) digest.update(`\0${image} ${(await idOf(host, image, signal)) ?? 'absent'}`)
  return digest.digest('hex')
}

/** Docker's id of an image, `sha256:...`; undefined where the host does not have the image. */
export async function idOf(host: DockerHost, image: string, signal: AbortSignal): Promise<string | undefined> {
  return await ask(host.docker.getImage(image).inspect(), signal).then(
    ({ Id }) => Id,
    () => undefined,
  )
}

/**
 * The images that a Dockerfile builds on or copies from. Undefined where a build reads something else beside its context: an image named by
 * an argument, a URL, or what BuildKit's mounts name. Pure.
 */
export function imagesRead(dockerfile: string): readonly string[] | undefined {
  if (needsBuildKit(dockerfile)) return undefined
  const images: string[] = []
  const stages = new Set(['scratch'])
  const instructions = readInstructions(dockerfile)
  for (const { keyword, text } of instructions) {
    const words = text.split(' ').slice(1)
    const plain = words.filter((word) => !word.startsWith('--'))
    if (keyword === 'ADD' && plain.slice(0, -1).some((from) => /^(?:https?:|git@|git:|\$)/i.test(from))) return undefined
    const [named] = keyword === 'FROM' ? plain : keyword === 'COPY' ? words.flatMap((word) => /^--from=(.+)$/.exec(word)?.[1] ?? []) : []
    if (named === undefined) continue
    if (named.includes('$')) return undefined
    if (!stages.has(named.toLowerCase()) && !(keyword === 'COPY' && /^\d+$/.test(named))) images.push(named)
    if (keyword === 'FROM' && plain[1]?.toUpperCase() === 'AS') stages.add(plain[2]?.toLowerCase() ?? '')
  }
  return images
}
