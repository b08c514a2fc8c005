import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { givenApp, server } from '../daemon/given-app.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm pack` would publish: the path of the archive. Built once. */
let archive: string | undefined
function packed(): string {
  if (archive !== undefined) return archive
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  const destination = mkdtempSync(join(tmpdir(), 'packed-'))
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', destination], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as readonly { readonly filename: string }[]
  return (archive = join(destination, pack?.filename ?? ''))
}

/** That, in node_modules of an empty folder, with the dependencies of this checkout beside it. */
function givenInstalled(): { readonly directory: string; readonly devcloud: string } {
  const folder = mkdtempSync(join(tmpdir(), 'unpacked-'))
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'installed-')))
  const modules = join(directory, 'node_modules')
  mkdirSync(modules)
  execFileSync('tar', ['-xzf', packed(), '-C', folder])
  const devcloud = join(folder, 'package')
  symlinkSync(devcloud, join(modules, 'devcloud'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
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

test('S34: npm installs the package with install scripts off, and it runs', async () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'scripts-off-')))
  writeFileSync(join(directory, 'package.json'), '{"private":true}')
  const flags = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline']
  execFileSync('npm', ['install', ...flags, packed()], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  await using cli = givenCli({ program: join(directory, 'node_modules/devcloud/dist/cli/main.js') })
  const app = givenApp('scripts-off-app', server("'scripts off'"), {
    'devcloud.yaml': 'buckets: [off-bytes]\nsecrets: { off-key: { random: 16 } }\n',
  })
  const up = await cli.run(['up', '--engine', 'process'], { directory: app.directory })
  expect(up, up.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('200') })
}, 240_000)
