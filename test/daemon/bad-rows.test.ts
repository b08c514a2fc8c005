import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

const app = givenApp('bad-rows', server("'one'"))

test('a project whose row is damaged, or bears a name of old that none can have, is told and passed over, and can be removed', async () => {
  // deep below a folder of its own: what a `..` could reach is the test's
  const outer = mkdtempSync(join(tmpdir(), 'bad-rows-'))
  const stateDirectory = join(outer, 'a', 'b', 'state')
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  writeFileSync(join(dirname(stateDirectory), 'kept'), '')
  await using cli = givenCli({ stateDirectory })
  const up = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(up, up.stderr).toMatchObject({ code: 0 })
  await cli.run(['daemon', 'stop'])
  const old = (id: string) => JSON.stringify({ id, number: '1', region: 'us-central1', directory: '', engine: 'process', isUp: true })
  const rows: Readonly<Record<string, string>> = {
    '..': old('..'),
    'a b': old('a b'),
    P: old('P'),
    '-': old('-'),
    torn: '{"id":"torn","number":',
    other: old('not-other'),
    "it's": 'null',
  }
  const db = new DatabaseSync(join(cli.stateDirectory, 'state.db'))
  for (const [name, value] of Object.entries(rows)) db.prepare("INSERT INTO resources VALUES ('project', ?, ?)").run(name, value)
  db.close()

  const status = await cli.run(['status', '--json'])
  expect(status, status.stderr).toMatchObject({ code: 0 })
  const { projects } = JSON.parse(status.stdout) as { readonly projects: readonly { readonly id: string; readonly problem?: string }[] }
  expect(projects.filter(({ problem }) => problem === undefined).map(({ id }) => id)).toEqual(['bad-rows'])
  expect(
    projects
      .filter(({ problem }) => problem !== undefined)
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(Object.keys(rows).toSorted())
  const told = await cli.run(['status'])
  expect(told.stdout).toContain(`"a b"  cannot be read: Its record cannot be read. To remove it: devcloud clean --project 'a b'`)

  expect(await cli.run(['down'], { directory: app.directory })).toMatchObject({ code: 0 })
  const one = await cli.run(['clean', '--project', '..', '--yes'])
  expect(one, one.stderr).toMatchObject({ code: 0 })
  const all = await cli.run(['clean', '--all', '--yes'])
  expect(all, all.stderr).toMatchObject({ code: 0 })
  expect((JSON.parse((await cli.run(['status', '--json'])).stdout) as { projects: unknown[] }).projects).toEqual([])
  expect(existsSync(join(dirname(stateDirectory), 'kept'))).toBe(true)
})
