import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const module = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible'

/** h2spec of PATH or of our cache, else built into it where Go is. Undefined where it cannot be had, which is said by name. */
export function findH2spec(): string | undefined {
  if (spawnSync('h2spec', ['--version'], { stdio: 'ignore' }).status === 0) return 'h2spec'
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'devcloud-tools')
  const path = join(folder, 'h2spec')
  if (existsSync(path)) return path
  const built = spawnSync('go', ['install', '-trimpath', '-ldflags=-s -w', module], {
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' },
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (built.status === 0 && existsSync(path)) return path
  const why = built.error === undefined ? built.stderr.trim().split('\n').at(-1) : 'there is no Go to build it'
  process.stderr.write(`devcloud: h2spec is not to be had (${why}): its test is not run.\n`)
  return undefined
}
