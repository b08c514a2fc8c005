// Makes a fresh checkout ready: dependencies and generated code, only when they are missing or stale. Runs on Node 20 and later.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const hash = (...files) => files.reduce((sum, file) => sum.update(readFileSync(join(root, file))), createHash('sha256')).digest('hex')

step('dependencies', 'node_modules/.devcloud-setup', hash('package.json', 'package-lock.json'), () =>
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  }),
)
step('generated code', 'src/api/gen/.devcloud-setup', hash('package-lock.json', 'scripts/generate.mjs', 'buf.gen.yaml'), () =>
  execFileSync(process.execPath, [join(root, 'scripts/generate.mjs')], { cwd: root, stdio: 'inherit' }),
)

/** Runs `work` unless `stamp` holds `wanted`, and writes the stamp when it succeeded. */
function step(name, stamp, wanted, work) {
  const path = join(root, stamp)
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) return
  process.stderr.write(`devcloud: installing ${name} ...\n`)
  work()
  writeFileSync(path, wanted)
}
