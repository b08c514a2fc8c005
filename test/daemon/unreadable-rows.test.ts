import { DatabaseSync } from 'node:sqlite'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { setAsideUnreadable } from '../../src/daemon/fsck/check-rows.ts'
import { openState } from '../../src/state/state.ts'
import { givenCli } from '../cli/given-cli.ts'
import { freshDirectory } from '../state/given-state.ts'
import { givenApp, server } from './given-app.ts'

const kinds = [
  'iam.account', 'iam.key', 'iam.policy', 'operation', 'run.execution', 'run.job', 'run.revision', 'run.service', 'run.service.deleted',
  'run.workerpool', 'run.workerpool.revision', 'secretmanager.secret', 'sql.instance', 'sql.operation',
] // prettier-ignore

test('rows of every kind that cannot be read stop no start, status, down or clean; they are set aside, told, and go with their project', async () => {
  const app = givenApp('rows-shop', server("'up'"))
  const { directory } = app
  await using cli = givenCli()
  expect((await cli.run(['up', '--engine', 'process'], { directory })).code).toBe(0)
  await cli.run(['daemon', 'stop'])
  {
    using db = new DatabaseSync(join(cli.stateDirectory, 'state.db'))
    const insert = db.prepare("INSERT INTO resources VALUES (?, ?, '{ half')")
    for (const kind of kinds) insert.run(kind, `projects/rows-shop/locations/us-central1/${kind}/bad`)
  }
  expect(await cli.run(['status'], { directory })).toMatchObject({ code: 0, stdout: expect.stringContaining('rows-shop') })
  expect(readFileSync(join(cli.stateDirectory, 'daemon.log'), 'utf8').match(/a row cannot be read and is set aside/g)).toHaveLength(
    kinds.length,
  )
  expect(await cli.run(['down'], { directory })).toMatchObject({ code: 0 })
  await cli.run(['daemon', 'stop'])
  const { stdout } = await cli.run(['fsck', '--json'])
  expect((JSON.parse(stdout) as { faults: readonly { kind: string }[] }).faults.filter(({ kind }) => kind === 'row')).toHaveLength(
    kinds.length,
  )
  expect(await cli.run(['clean', '--all', '--yes'], { directory })).toMatchObject({ code: 0 })
  await cli.run(['daemon', 'stop'])
  expect(await cli.run(['fsck'])).toMatchObject({ code: 0 })
})

test('a row that was set aside comes back once it can be read', async () => {
  await using state = openState(freshDirectory(), [])
  const name = 'projects/p/secrets/s'
  await state.write((db) => {
    db.prepare('INSERT INTO resources VALUES (?, ?, ?)').run('secretmanager.secret', name, '{ half')
    expect(setAsideUnreadable(db)).toHaveLength(1)
    expect(setAsideUnreadable(db)).toEqual([])
    db.prepare('UPDATE resources SET value = ?').run(JSON.stringify({ name }))
    expect(setAsideUnreadable(db)).toEqual([])
  })
  expect(state.db.prepare('SELECT kind FROM resources').all()).toEqual([{ kind: 'secretmanager.secret' }])
})
