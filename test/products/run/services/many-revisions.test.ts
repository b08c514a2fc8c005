import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allProjects, cleanProjects } from '../../../../src/daemon/clean.ts'
import { openDaemon } from '../../../../src/daemon/daemon.ts'

const run = 'https://run.googleapis.com/v2'
const service = 'projects/many-revisions/locations/us-central1/services/web'

test('F47: with 5,000 revisions a deployment succeeds, pages list each once, and the newest 1000, those with traffic and with a tag stay', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'dc-many-'))
  const daemon = await openDaemon({ stateDirectory, port: 0, onShutdown: () => {} })
  const { api, foundation } = daemon.house
  const { projects, engines, state } = foundation
  await projects.put({ ...projects.get('many-revisions'), engine: 'process' })
  const engine = await engines.choose('process')
  const directory = mkdtempSync(join(tmpdir(), 'many-app-'))
  const program = "require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT)"
  const source = { project: 'many-revisions', name: 'web', directory, command: ['node', '-e', program] }
  const { image } = await engine.build(source, () => {}, AbortSignal.timeout(60_000))
  const settled = async (operation: Record<string, unknown>) => {
    while (operation['done'] !== true) operation = await api.call('POST', `${run}/${String(operation['name'])}:wait`, { timeout: '10s' })
    expect(operation['error']).toBeUndefined()
  }
  const names = async () => {
    const all: string[] = []
    for (let pageToken = ''; ;) {
      const page = await api.call('GET', `${run}/${service}/revisions?pageSize=700&pageToken=${encodeURIComponent(pageToken)}`)
      all.push(...(page['revisions'] as { readonly name: string }[]).map(({ name }) => name.split('/').at(-1) ?? ''))
      pageToken = String(page['nextPageToken'] ?? '')
      if (pageToken === '') return all
    }
  }
  try {
    const template = { containers: [{ image }], revision: 'web-first' }
    await settled(await api.call('POST', `${run}/${service.replace(/\/web$/, '')}?serviceId=web`, { template }))
    const row = state.db.prepare("SELECT value FROM resources WHERE kind = 'run.revision'").get()
    const first = JSON.parse(String(row?.['value'])) as { readonly conditions: readonly { readonly type: string }[] }
    const conditions = first.conditions.filter(({ type }) => type !== 'Active') // they are retired
    await state.write((db) => {
      const insert = db.prepare("INSERT INTO resources VALUES ('run.revision', ?, ?)")
      for (let n = 2; n <= 5000; n += 1) {
        const name = `${service}/revisions/web-${String(n).padStart(5, '0')}-abc`
        insert.run(name, JSON.stringify({ ...first, conditions, name, generation: String(n) }))
      }
    })
    const before = await names()
    expect([before.length, new Set(before).size, before[0]]).toEqual([5000, 5000, 'web-05000-abc'])

    const traffic = [
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 90 },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'web-first', percent: 10 },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'web-00002-abc', tag: 'old' },
    ]
    await settled(await api.call('PATCH', `${run}/${service}`, { template: { containers: [{ image }], revision: 'web-last' }, traffic }))
    await expect.poll(names, { timeout: 60_000, interval: 500 }).toHaveLength(1002)
    expect(await names()).toEqual(expect.arrayContaining(['web-last', 'web-05000-abc', 'web-04002-abc', 'web-00002-abc', 'web-first']))
  } finally {
    await cleanProjects(daemon.house, allProjects(daemon.house), () => {})
    await daemon[Symbol.asyncDispose]()
    rmSync(stateDirectory, { recursive: true, force: true })
  }
}, 180_000)
