import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from '../daemon/given-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm pack` would publish, in node_modules of an empty folder, with the dependencies of this checkout beside it. */
function givenInstalled(): { readonly directory: string; readonly devcloud: string } {
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  const packed = mkdtempSync(join(tmpdir(), 'packed-'))
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', packed], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as readonly { readonly filename: string }[]
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'installed-')))
  const modules = join(directory, 'node_modules')
  mkdirSync(modules)
  execFileSync('tar', ['-xzf', join(packed, pack?.filename ?? ''), '-C', packed])
  const devcloud = join(packed, 'package')
  symlinkSync(devcloud, join(modules, 'devcloud'))
  symlinkSync(join(root, 'node_modules'), join(packed, 'node_modules'))
  return { directory, devcloud }
}

test('the package runs outside the repository: version, up, down, clean, and its types and exports are there', async () => {
  const { directory, devcloud } = givenInstalled()
  const { exports, version } = JSON.parse(readFileSync(join(devcloud, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
    readonly version: string
  }
  const paths = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)))
  expect(paths.filter((path) => !existsSync(join(devcloud, path)))).toEqual([])

  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(directory, 'uses.ts'),
    "import { startCloud, type Cloud } from 'devcloud/fixture'\nexport const cloud: Cloud = await startCloud({ products: ['secretmanager'] })\nawait cloud[Symbol.asyncDispose]()\nconsole.log(cloud.endpoint)\n",
  )
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'esnext',
    '--types',
    'node',
    '--typeRoots',
    join(root, 'node_modules/@types'),
  ]
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...flags, 'uses.ts'], { cwd: directory, stdio: 'pipe' })
  expect(execFileSync(process.execPath, ['uses.ts'], { cwd: directory, encoding: 'utf8' })).toMatch(/^http:\/\/localhost:\d+\n$/)

  await using cli = givenCli({ program: join(devcloud, 'dist/cli/main.js') })
  expect(await cli.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
  const app = givenApp('packed-app', server("'packed'"))
  const inApp = { directory: app.directory }
  const up = await cli.run(['up', '--engine', 'process'], inApp)
  expect(up, up.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('200') })
  expect(await cli.run(['down'], inApp)).toMatchObject({ code: 0 })
  expect(await cli.run(['clean', '--yes'], inApp)).toMatchObject({ code: 0 })
}, 180_000)
