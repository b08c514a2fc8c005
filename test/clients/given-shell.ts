import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { givenCli, type Ran } from '../cli/given-cli.ts'

const example = fileURLToPath(new URL('../../examples/guestbook', import.meta.url))

/** The shell of a developer who is logged in at Google, after `devcloud up` of the guestbook and `eval "$(devcloud env)"`. */
export interface GivenShell extends AsyncDisposable {
  /** An empty folder to work in. */
  readonly directory: string
  /** Holds `.config/gcloud` with the developer's own login, and nothing else. */
  readonly home: string
  /** Runs a program to its end, whatever it answers. */
  run(program: string, ...args: readonly string[]): Promise<Ran>
  /** The same for a program that must succeed. @returns its stdout, trimmed */
  stdoutOf(program: string, ...args: readonly string[]): Promise<string>
  /** Runs `devcloud ARGS` in the guestbook's folder. */
  devcloud(...args: readonly string[]): Promise<Ran>
}

/**
 * @param options.endpoints with the variables of `devcloud env --endpoints` instead @param options.without variables to take away
 * @param options.loggedIn false for a developer who has no login at Google in the home folder
 */
export async function givenShell(
  options: { readonly endpoints?: boolean; readonly without?: readonly string[]; readonly loggedIn?: boolean } = {},
): Promise<GivenShell> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'dc-clients-')))
  const project = join(directory, 'guestbook')
  cpSync(example, project, { recursive: true })
  const home = join(directory, 'home')
  if (options.loggedIn === false) mkdirSync(home)
  else logInAtGoogle(home)
  const work = join(directory, 'work')
  mkdirSync(work)

  const cli = givenCli()
  const up = await cli.run(['up', '--engine', 'process', '-d'], { directory: project })
  expect(up, up.stderr).toMatchObject({ code: 0 })
  const told = await cli.run(['env', '--json', ...(options.endpoints === true ? ['--endpoints'] : [])], { directory: project })
  const variables = JSON.parse(told.stdout) as Record<string, string>
  for (const name of options.without ?? []) delete variables[name]

  const run: GivenShell['run'] = (program, ...args) =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: home, ...variables }
      const child = execFile(program, args, { cwd: work, env, maxBuffer: 64 << 20, timeout: 55_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr: code === -1 ? `${String(error)}\n${stderr}` : stderr })
      })
      child.stdin?.end()
    })
  return {
    directory: work,
    home,
    run,
    async stdoutOf(program, ...args) {
      const { code, stdout, stderr } = await run(program, ...args)
      expect(code, `${program} ${args.join(' ')}\n${stderr}`).toBe(0)
      return stdout.trim()
    },
    devcloud: (...args) => cli.run(args, { directory: project }),
    async [Symbol.asyncDispose]() {
      await cli[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** What `gcloud auth application-default login` leaves: clients look there before they ask the metadata server. */
function logInAtGoogle(home: string): void {
  const folder = join(home, '.config', 'gcloud')
  mkdirSync(folder, { recursive: true })
  const credentials = { type: 'authorized_user', client_id: 'google', client_secret: 'google', refresh_token: '1//of-google' }
  writeFileSync(join(folder, 'application_default_credentials.json'), JSON.stringify(credentials))
}
