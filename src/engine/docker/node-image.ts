import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type Docker from 'dockerode'
import { pack } from 'tar-stream'
import { CloudError } from '../../base/cloud-error.ts'
import { ask, orAbsent } from './ask.ts'
import { jsonLines } from './json-lines.ts'

/**
 * Makes an image with the Node that runs this process, at /usr/local/bin/node, and its shared libraries. Nothing is pulled.
 * @param extra further files, by absolute path
 * @returns the image's reference, `REPOSITORY:HASH OF THE CONTENT`
 */
export async function importNodeImage(
  docker: Docker,
  repository: string,
  extra: Readonly<Record<string, Buffer>>,
  signal: AbortSignal,
): Promise<string> {
  const paths = [process.execPath, ...(await sharedLibraries(process.execPath))]
  const tag = (await hashOf(paths, extra)).slice(0, 16)
  const reference = `${repository}:${tag}`
  if ((await orAbsent(ask(docker.getImage(reference).inspect(), signal))) !== undefined) return reference
  const tar = pack()
  void fill(tar, paths, extra).catch((error: Error) => tar.destroy(error))
  const stream = await ask(
    docker.importImage(Readable.from(tar, { objectMode: false }), { repo: repository, tag, abortSignal: signal }),
    signal,
  )
  let id = ''
  for await (const message of jsonLines<{ readonly status?: string; readonly error?: string }>(stream as AsyncIterable<unknown>)) {
    if (message.error !== undefined)
      throw new CloudError('INTERNAL', `Docker did not take the image of Node: ${message.error}`, 'docker info')
    id = message.status ?? id
  }
  await ask(docker.getImage(id).tag({ repo: repository, tag }), signal) // Podman imports without the tag
  await removeOlder(docker, repository, signal)
  return reference
}

/** Removes images of earlier versions that nothing uses. A fresh image stays: another daemon may be about to use it. */
async function removeOlder(docker: Docker, repository: string, signal: AbortSignal): Promise<void> {
  const images = await ask(docker.listImages({ filters: { reference: [repository] } }), signal)
  for (const { Id, Created } of images) {
    // A step of the clock makes it go an hour sooner or later; what is in use stays.
    if (Created * 1000 < Date.now() - 3_600_000) await ask(docker.getImage(Id).remove(), signal).catch(() => {})
  }
}

/** `	libdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f...)` and `	/lib64/ld-linux-x86-64.so.2 (0x...)` */
async function sharedLibraries(binary: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [binary]).catch(() => ({ stdout: '' })) // not linked to any
  return stdout.split('\n').flatMap((line) => /(?:=>|^)\s*(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}

async function hashOf(paths: readonly string[], extra: Readonly<Record<string, Buffer>>): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    hash.update(`${path}\0${statSync(path).size}\0`)
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  }
  for (const [path, data] of Object.entries(extra)) hash.update(`${path}\0${data.length}\0`).update(data)
  return hash.digest('hex')
}

/** Packs each file under its path on this host, since libraries are found relative to the binary. */
async function fill(tar: ReturnType<typeof pack>, paths: readonly string[], extra: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const path of paths) {
    await pipeline(createReadStream(path), tar.entry({ name: path.slice(1), size: statSync(path).size, mode: 0o755 }))
  }
  if (process.execPath !== '/usr/local/bin/node') {
    tar.entry({ name: 'usr/local/bin/node', type: 'symlink', linkname: process.execPath })
  }
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  for (const [path, data] of Object.entries(extra)) tar.entry({ name: path.slice(1), mode: 0o444 }, data)
  tar.finalize()
}
