// Compiles src to dist for the published package, with declarations. Node runs the sources as they stand; this is for npm pack only.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
cpSync(join(root, 'src'), dist, { recursive: true, filter: (path) => !path.endsWith('.ts') || path.endsWith('.d.ts') })
chmodSync(join(dist, 'cli/main.js'), 0o755)

// The daemon in one file with its dependencies, without their comments and unused parts: Node keeps the text of every module in memory, and one
// file is read sooner than a thousand. Names stay, for stack traces. It stands where its modules stood, since they find files from there.
const daemon = await rolldown({
  input: join(dist, 'daemon/main.js'),
  platform: 'node',
  external: ['dockerode', 'pg-native'], // dockerode is loaded without its parts that nobody uses
  checks: { eval: false },
})
await daemon.write({
  file: join(dist, 'daemon/main.js'),
  format: 'esm',
  codeSplitting: false,
  minify: { mangle: { keepNames: true }, compress: { keepNames: { function: true, class: true } }, codegen: { removeWhitespace: true } },
})
await daemon.close()
for (const program of ['engine/process/shim.mjs', 'engine/docker/forwarder.mjs']) {
  cpSync(join(dist, program), join(dist, 'daemon', program.slice(program.lastIndexOf('/') + 1)))
}
