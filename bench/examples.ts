import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GivenCli } from '../test/cli/given-cli.ts'

export interface Example extends Disposable {
  readonly directory: string
}

/** An example in a folder of its own, as someone has it who has just cloned it. */
export function copyExample(name: string): Example {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'bench-')))
  const directory = join(parent, name)
  const source = fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
  cpSync(source, directory, { recursive: true, filter: (path) => !path.endsWith('/node_modules') })
  return { directory, [Symbol.dispose]: () => rmSync(parent, { recursive: true, force: true }) }
}

/** Seconds of one command, its own start included. @throws Error with its words when it fails */
export async function timedRun(cli: GivenCli, args: readonly string[], directory: string): Promise<number> {
  const began = performance.now()
  const { code, stdout, stderr } = await cli.run(args, { directory })
  const seconds = (performance.now() - began) / 1000
  if (code !== 0) throw new Error(`devcloud ${args.join(' ')} exited ${code}: ${stdout}${stderr}`)
  return seconds
}

export function answersDocker(): boolean {
  return spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: 'ignore', timeout: 10_000 }).status === 0
}
