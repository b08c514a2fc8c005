import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cleanProject } from '../../src/daemon/clean.ts'
import { openDaemon } from '../../src/daemon/daemon.ts'
import { down } from '../../src/daemon/down.ts'
import { setAsideUnreadable } from '../../src/daemon/fsck/check-rows.ts'
import { fsck } from '../../src/daemon/fsck/fsck.ts'
import { resourceKinds } from '../../src/daemon/fsck/resource-kinds.ts'
import { readStatus } from '../../src/daemon/read-status.ts'
import { schema } from '../../src/daemon/schema.ts'
import { openState } from '../../src/state/state.ts'
import { freshDirectory } from '../state/given-state.ts'

const kinds = [
  'iam.account', 'iam.key', 'iam.policy', 'operation', 'run.execution', 'run.job', 'run.revision', 'run.service', 'run.service.deleted',
  'run.workerpool', 'run.workerpool.revision', 'secretmanager.secret', 'sql.instance', 'sql.operation',
] // prettier-ignore

test('rows of every kind that cannot be read stop no start, status, down or clean; they are set aside, told, and go with their project', async () => {
  const stateDirectory = freshDirectory()
  {
    await using state = openState(stateDirectory, schema)
    await state.write((db) => {
      const insert = db.prepare('INSERT INTO resources VALUES (?, ?, ?)')
      insert.run(
        'project',
        'rows-shop',
        JSON.stringify({ id: 'rows-shop', number: '1', region: 'us-central1', directory: '', engine: 'process', isUp: true }),
      )
      for (const kind of kinds) insert.run(kind, `projects/rows-shop/locations/us-central1/${kind}/bad`, '{ half')
    })
  }
  {
    await using daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
    expect((await readStatus(daemon.house)).projects.map(({ id }) => id)).toEqual(['rows-shop'])
    await down(daemon.house, 'rows-shop', () => {})
  }
  expect(readFileSync(join(stateDirectory, 'daemon.log'), 'utf8').match(/a row cannot be read and is set aside/g)).toHaveLength(
    kinds.length,
  )
  expect((await fsck(stateDirectory, false)).faults.filter(({ kind }) => kind === 'row')).toHaveLength(kinds.length)
  {
    await using daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
    await cleanProject(daemon.house, 'rows-shop', () => {})
  }
  expect((await fsck(stateDirectory, false)).faults).toEqual([])
})

test('a row that was set aside comes back once it can be read', async () => {
  await using state = openState(freshDirectory(), [])
  const name = 'projects/p/secrets/s'
  await state.write((db) => {
    db.prepare('INSERT INTO resources VALUES (?, ?, ?)').run('secretmanager.secret', name, '{ half')
    expect(setAsideUnreadable(db, resourceKinds)).toHaveLength(1)
    expect(setAsideUnreadable(db, resourceKinds)).toEqual([])
    db.prepare('UPDATE resources SET value = ?').run(JSON.stringify({ name }))
    expect(setAsideUnreadable(db, resourceKinds)).toEqual([])
  })
  expect(state.db.prepare('SELECT kind FROM resources').all()).toEqual([{ kind: 'secretmanager.secret' }])
})

test('every kind of resource that src declares is read at a start and by fsck', () => {
  const source = join(import.meta.dirname, '../../src')
  const declared = globSync('**/*.ts', { cwd: source }).flatMap((file) =>
    [
      ...readFileSync(join(source, file), 'utf8').matchAll(
        /(?:messageKind\(|jsonKind<\w+>\(|ResourceKind<.+> = \{\s+kind: )\s*'([a-z.]+)'/g,
      ),
    ].map(([, kind]) => kind),
  )
  expect(resourceKinds.map(({ kind }) => kind).toSorted()).toEqual([...new Set(declared)].toSorted())
})

test('a row that names another resource than its own is set aside', async () => {
  await using state = openState(freshDirectory(), [])
  await state.write((db) => {
    const insert = db.prepare('INSERT INTO resources VALUES (?, ?, ?)')
    insert.run('secretmanager.secret', 'projects/1/secrets/a', JSON.stringify({ name: 'projects/1/secrets/b' }))
    insert.run('secretmanager.secret', 'projects/1/secrets/b', JSON.stringify({ name: 'projects/1/secrets/b' }))
    expect(setAsideUnreadable(db, resourceKinds)).toMatchObject([
      { name: 'projects/1/secrets/a', why: expect.stringContaining('it names itself') },
    ])
  })
})
