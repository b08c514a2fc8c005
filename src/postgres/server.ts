import { spawn } from 'node:child_process'
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { until } from '../base/clock.ts'
import type { Home } from './home.ts'

/** Starts the postmaster of `data`, or finds it running. The postmaster outlives the daemon. Resolves when it answers. @throws CloudError POSTGRES_FAILED */
export async function startServer(
  home: Home,
  binaries: string,
  data: string,
  sockets: string,
  logPath: string,
  signal: AbortSignal,
): Promise<void> {
  if (runningPid(data) === undefined) {
    const log = openSync(logPath, 'a', 0o600)
    const child = spawn(join(binaries, 'bin/postgres'), ['-D', data, '-k', sockets], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib'), PGTZ: 'UTC', TZ: 'UTC' },
      cwd: data,
      ...home.owner,
    })
    child.once('error', () => {}) // noticed below: the server does not answer
    child.unref()
    closeSync(log)
  }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(30_000)])
  try {
    await until(async () => ((await answers(home, sockets)) ? true : undefined), 20, deadline)
  } catch (error) {
    const lines = existsSync(logPath) ? readFileSync(logPath, 'utf8').trim().split('\n').slice(-10) : []
    throw new CloudError('UNAVAILABLE', `Postgres in ${data} does not answer.`, 'devcloud doctor', {
      cause: error,
      fault: 'POSTGRES_FAILED',
      evidence: lines,
    })
  }
}

/** Stops the server fast and cleanly: sessions are cut, and the data needs no recovery. */
export async function stopServer(data: string, signal: AbortSignal): Promise<void> {
  const pid = runningPid(data)
  if (pid === undefined) return
  process.kill(pid, 'SIGINT')
  const gone = () => (runningPid(data) === undefined ? true : undefined)
  try {
    await until(async () => gone(), 20, AbortSignal.any([signal, AbortSignal.timeout(15_000)]))
  } catch {
    process.kill(pid, 'SIGKILL')
    await until(async () => gone(), 20, AbortSignal.timeout(5000))
  }
}

/** The pid of the postmaster of `data`, from its pid file. Checks that the process still uses the folder, since another process may have the pid by now. */
export function runningPid(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    if (process.platform !== 'linux') return process.kill(pid, 0) ? pid : undefined
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const isCorpse = state.slice(state.lastIndexOf(')') + 2).startsWith('Z')
    return !isCorpse && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Runs `work` with a session of the superuser over the socket. @throws CloudError SQL_FAILED with the server's message */
export async function withAdmin<T>(home: Home, sockets: string, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: sockets,
    port: 5432,
    user: 'cloudsqladmin',
    password: home.adminPassword,
    database,
    connectionTimeoutMillis: 5000,
  })
  client.on('error', () => {}) // the interrupted query rejects with this error
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    if (error instanceof CloudError) throw error
    throw new CloudError('FAILED_PRECONDITION', messageOf(error), 'devcloud logs', { cause: error, fault: 'SQL_FAILED' })
  } finally {
    await client.end().catch(() => {})
  }
}

async function answers(home: Home, sockets: string): Promise<boolean> {
  if (!existsSync(join(sockets, '.s.PGSQL.5432'))) return false
  try {
    return await withAdmin(home, sockets, 'template1', async (client) => (await client.query('SELECT 1')).rowCount === 1)
  } catch {
    return false
  }
}
