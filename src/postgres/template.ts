import { execFile } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { makeOwned, type Home } from './home.ts'
import { startServer, stopServer, withAdmin } from './server.ts'
import { fixedSettings, initialSql, settingLines, usualSettings } from './settings.ts'

const run = promisify(execFile)

/** Makes the template once: a data folder as a new instance of Cloud SQL has it. A new cluster is a copy. `md5` in pg_hba takes SCRAM passwords too. */
export async function dataTemplate(home: Home, binaries: string, signal: AbortSignal): Promise<string> {
  const target = join(home.directory, 'template')
  if (existsSync(target)) return target
  const building = `${target}.new`
  rmSync(building, { recursive: true, force: true })
  makeOwned(home, building, 0o700)
  const passwordFile = join(building, '..', 'template-password')
  writeFileSync(passwordFile, home.adminPassword, { mode: 0o600 })
  if (home.owner !== undefined) chownSync(passwordFile, home.owner.uid, home.owner.gid)
  try {
    // prettier-ignore
    const flags = ['-U', 'cloudsqladmin', '--pwfile', passwordFile, '--auth=md5', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--no-instructions']
    await run(join(binaries, 'bin/initdb'), ['-D', building, ...flags], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib') },
      signal,
      cwd: '/',
      ...home.owner,
    })
  } catch (error) {
    throw new CloudError('INTERNAL', `initdb failed: ${messageOf(error)}`, 'devcloud doctor', { cause: error, fault: 'POSTGRES_FAILED' })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  appendFileSync(join(building, 'postgresql.conf'), `\n${settingLines({ ...fixedSettings, ...usualSettings })}`)
  const sockets = makeOwned(home, join(home.directory, 't'), 0o755)
  await startServer(home, binaries, building, sockets, join(home.directory, 'template.log'), signal)
  await withAdmin(home, sockets, 'template1', (client) => client.query(initialSql()))
  await stopServer(building, signal)
  rmSync(sockets, { recursive: true, force: true })
  renameSync(building, target)
  return target
}
