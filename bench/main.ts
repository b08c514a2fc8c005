import { body } from './body.ts'
import { coldStart } from './cold-start.ts'
import { disturbed } from './disturbed.ts'
import { gallery } from './gallery.ts'
import { grpc } from './grpc.ts'
import { idle } from './idle.ts'
import type { Bench, BenchResult } from './result.ts'
import { router } from './router.ts'
import { up } from './up.ts'

/** `node bench/main.ts [NAME...] [--json]`: what docs/benchmarks.md says of each. Results on stdout, progress on stderr. */
const benches: Readonly<Record<string, Bench>> = { router, grpc, body, up, gallery, idle, disturbed, 'cold-start': coldStart }

const names = process.argv.slice(2).filter((word) => word !== '--json')
const unknown = names.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark "${unknown.join(' ')}", only: ${Object.keys(benches).join(', ')}\n`)
  process.exit(2)
}
const isJson = process.argv.includes('--json')
const results: Record<string, BenchResult> = {}
for (const name of names.length === 0 ? Object.keys(benches) : names) {
  const result = await benches[name]?.((text) => process.stderr.write(`${name}: ${text}\n`))
  if (result === undefined) continue
  results[name] = result
  if (!isJson) process.stdout.write(textOf(name, result))
}
const [only] = names
if (isJson) process.stdout.write(`${JSON.stringify(names.length === 1 ? results[only ?? ''] : results)}\n`)

function textOf(name: string, { ratios, figures }: BenchResult): string {
  const lines = [
    ...Object.entries(ratios).map(([peer, ratio]) => `  ${peer.padEnd(24)} ${ratio.toFixed(2)}x`),
    ...Object.entries(figures ?? {}).map(([figure, value]) => `  ${figure.padEnd(24)} ${value}`),
  ]
  return `${name}\n${lines.join('\n')}\n`
}
