import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../../src/base/clock.ts'
import { openLog } from '../../../src/base/log.ts'
import { openPostgres } from '../../../src/postgres/postgres.ts'
import { cloudSql, type CloudSql } from '../../../src/products/sql/index.ts'
import { openState } from '../../../src/state/state.ts'
import { givenApi } from '../../api/given-api.ts'

type Json = Readonly<Record<string, unknown>>

export interface GivenSql extends AsyncDisposable {
  readonly product: CloudSql
  /** Where the API listens on this machine. */
  readonly port: number
  /** Answers status and body of a call, whose path is below the API's host. */
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Json }>
  /** The same for a call that is an operation: the finished one. */
  run(method: string, path: string, body?: unknown): Promise<Json>
  /** A client's session through the socket, with the password that the API gave. */
  connect(instance: string, user: string, password: string, database?: string): Promise<pg.Client>
}

export const project = '/sql/v1beta4/projects/p'

/** The state directory of a daemon, with its servers. Disposing removes the servers. */
export function givenHome() {
  const directory = join(mkdtempSync(join(tmpdir(), 'devcloud-sql-')), 'state')
  return {
    directory,
    /** A daemon in it; disposing ends the daemon alone. */
    start: () => givenSql(directory),
    async [Symbol.asyncDispose]() {
      await using sql = await givenSql(directory)
      await sql.product.removeProject('p')
      openPostgres({ stateDirectory: directory }).purge()
    },
  }
}

async function givenSql(directory: string): Promise<GivenSql> {
  const state = openState(directory, [])
  const postgres = openPostgres({ stateDirectory: directory })
  const product = cloudSql({
    state,
    clock: systemClock,
    log: openLog(undefined),
    project: (told) => ({ id: told === '123456789012' ? 'p' : told, number: '123456789012' }),
    postgres,
  })
  const api = await givenApi(product)
  const call: GivenSql['call'] = async (method, path, body) => {
    const response = await fetch(api.url + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Json }
  }
  return {
    product,
    port: api.port,
    call,
    async run(method, path, body) {
      const first = await call(method, path, body)
      if (first.status !== 200) throw new Error(JSON.stringify(first.body))
      let operation = first.body
      while (operation['status'] !== 'DONE') operation = (await call('GET', `${project}/operations/${String(operation['name'])}`)).body
      return operation
    },
    async connect(instance, user, password, database = 'postgres') {
      const host = await product.socketDirectory(`p:us-central1:${instance}`)
      const client = new pg.Client({ host, user, password, database })
      client.on('error', () => {})
      await client.connect()
      return client
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
      await product[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}
