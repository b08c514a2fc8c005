import type { UpEvent } from './control-protocol.ts'
import type { House } from './daemon.ts'
import { isRecord } from './google-api.ts'

/** Removes a project with everything in it. */
export async function cleanProject(house: House, project: string, tell: (event: UpEvent) => void): Promise<void> {
  const { foundation, catalog } = house
  const step = async (name: string, work: () => Promise<void>) => {
    const began = performance.now()
    await work()
    tell({ kind: 'step', id: `${project}:${name}`, name: `${project} ${name}`, state: 'done', ms: Math.round(performance.now() - began) })
  }
  const { engine: kind } = foundation.projects.get(project)
  await step('services', () => catalog.run.removeProject(project))
  await step('databases', () => catalog.sql.removeProject(project))
  await step('buckets', () => removeBuckets(house, project))
  await step('secrets', () => removeSecrets(house, project))
  await step('containers', async () => {
    if (kind === 'auto') return
    const engine = await foundation.engines.choose(kind)
    await engine.removeProject(project, AbortSignal.timeout(120_000))
  })
  await foundation.projects.delete(project)
}

async function removeBuckets({ api }: House, project: string): Promise<void> {
  const base = 'https://storage.googleapis.com/storage/v1/b'
  for (const bucket of await listAll(api, `${base}?project=${project}`, 'items')) {
    const name = String(bucket['name'])
    for (;;) {
      const page = await listAll(api, `${base}/${name}/o?versions=true`, 'items')
      if (page.length === 0) break
      for (const object of page) {
        const path = `${base}/${name}/o/${encodeURIComponent(String(object['name']))}`
        await api.call('DELETE', `${path}?generation=${String(object['generation'])}`)
      }
    }
    await api.call('DELETE', `${base}/${name}`)
  }
}

async function removeSecrets({ api }: House, project: string): Promise<void> {
  const base = 'https://secretmanager.googleapis.com/v1'
  for (;;) {
    const secrets = await listAll(api, `${base}/projects/${project}/secrets`, 'secrets')
    if (secrets.length === 0) return
    for (const secret of secrets) await api.call('DELETE', `${base}/${String(secret['name'])}`)
  }
}

/** The first page: callers remove what is in it and ask again. */
async function listAll(api: House['api'], url: string, key: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await api.call('GET', url)
  const items = answer[key]
  return Array.isArray(items) ? items.filter(isRecord) : []
}
