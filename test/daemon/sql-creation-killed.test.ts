import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { givenCli, type GivenCli } from '../cli/given-cli.ts'
import { givenApp, server } from './given-app.ts'

type Json = Readonly<Record<string, unknown>>

test('kill -9 of the daemon amid the creation of a Cloud SQL instance: the next one has it whole or not at all, and the operation says which', async () => {
  const app = givenApp('half-made', server('process.pid'), {})
  await using cli = givenCli()
  expect(await cli.run(['up', '--engine', 'process'], { directory: app.directory })).toMatchObject({ code: 0 })
  for (const name of ['first', 'second', 'third']) {
    const call = await callerOf(cli, app.directory)
    const body = { name, databaseVersion: 'POSTGRES_18', settings: { tier: 'db-f1-micro', edition: 'ENTERPRISE' } }
    call('POST', 'instances', body).catch(() => {}) // its answer does not come
    while ((await call('GET', `instances/${name}`)).status !== 200) await sleep(2)
    await sleep(name === 'first' ? 0 : name === 'second' ? 40 : 300)
    process.kill(await cli.daemonPid(), 'SIGKILL')
    await cli.run(['daemon', 'start'])

    const next = await callerOf(cli, app.directory)
    const { items = [] } = (await next('GET', `operations?instance=${name}`)).body as { readonly items?: readonly Json[] }
    const made = await next('GET', `instances/${name}`)
    expect(items, name).toMatchObject([{ operationType: 'CREATE', status: 'DONE' }])
    if (items[0]?.['error'] === undefined) expect(made.body['state'], name).toBe('RUNNABLE')
    else {
      expect(made.status, name).toBe(404)
      expect((await next('POST', 'instances', body)).body, name).toMatchObject({ status: 'DONE' })
      expect((await next('GET', `instances/${name}`)).body['state'], name).toBe('RUNNABLE')
    }
  }
}, 180_000)

/** Calls the Admin API of the daemon of now, below the project. */
async function callerOf(cli: GivenCli, directory: string) {
  const { stdout } = await cli.run(['env', '--endpoints', '--json'], { directory })
  const { GOOGLE_SQL_CUSTOM_ENDPOINT: base = '' } = JSON.parse(stdout) as Readonly<Record<string, string>>
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${base}projects/half-made/${path}`, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Json }
  }
}
