import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { expect, test } from 'vitest'
import { packContext } from '../../src/engine/docker/build-context.ts'
import { listFiles } from '../../src/engine/process/list-files.ts'

/** Names in the context of a folder, and what was told of those left out. */
async function contextOf(
  directory: string,
): Promise<{ readonly names: readonly string[]; readonly skipped: readonly (readonly string[])[] }> {
  const names: string[] = []
  const skipped: (readonly string[])[] = []
  for await (const entry of packContext(directory, 'Dockerfile', (paths) => void skipped.push(paths)).pipe(extract())) {
    names.push(`${entry.header.type} ${entry.header.name}`)
    entry.resume()
  }
  return { names, skipped }
}

test('F54: links in circles, sockets, pipes and strange names in a folder hang nothing, and what cannot be sent is told once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dc-odd-'))
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n')
  mkdirSync(join(directory, 'in'))
  writeFileSync(join(directory, 'in/plain'), 'x')
  symlinkSync('..', join(directory, 'in/up'))
  symlinkSync('circle', join(directory, 'circle'))
  writeFileSync(join(directory, 'a\nname\twith "all"'), 'x')
  writeFileSync(Buffer.concat([Buffer.from(join(directory, 'not-utf8-')), Buffer.from([0xff, 0xfe])]), 'x')
  execFileSync('mkfifo', [join(directory, 'pipe'), join(directory, '.dockerignore')])
  await using server = net.createServer().listen(join(directory, 's.sock'))
  await new Promise((resolve) => server.once('listening', resolve))

  const { names, skipped } = await contextOf(directory)
  expect(names.toSorted()).toEqual(
    ['directory in', 'file Dockerfile', 'file a\nname\twith "all"', 'file in/plain', 'symlink circle', 'symlink in/up'].toSorted(),
  )
  expect(skipped).toEqual([['.dockerignore', expect.stringContaining('not-utf8-'), 'pipe', 's.sock']])
  expect(listFiles(directory).map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(['Dockerfile', 'in/plain']))
})
