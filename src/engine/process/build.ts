import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CloudError } from '../../base/cloud-error.ts'
import type { BuildSource, BuiltImage } from '../engine.ts'
import { listFiles } from './list-files.ts'

/** An image of the process engine: a folder and the command that runs it. */
export interface FolderImage {
  readonly project: string
  readonly directory: string
  readonly command: readonly string[]
}

/**
 * Installs the dependencies in the folder's lock file, unless they are installed already.
 * @throws CloudError NO_COMMAND, BUILD_FAILED
 */
export async function buildFolder(
  source: BuildSource,
  imagesDirectory: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const { command, directory } = source
  if (command === undefined) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `${directory} has no start command for the process engine.`,
      'Add a "start" script to package.json, or a Procfile with "web: ...".',
      {
        fault: 'NO_COMMAND',
      },
    )
  }
  const steps = installSteps(directory)
  let cachedSteps = 0
  for (const step of steps) {
    if (isDone(step)) {
      cachedSteps += 1
      continue
    }
    await install(step, directory, onLine, signal)
    writeFileSync(step.stamp, step.hash)
  }
  const image: FolderImage = { project: source.project, directory, command }
  const text = JSON.stringify(image)
  const digest = folderDigest(image)
  mkdirSync(imagesDirectory, { recursive: true, mode: 0o700 })
  writeFileSync(join(imagesDirectory, `${digest}.json`), text, { mode: 0o600 })
  return { image: `process/${source.project}/${source.name}@sha256:${digest}`, steps: steps.length, cachedSteps }
}

/** A hash of names, sizes and times of the folder's own files, so that a change of code gives a new image. */
export function folderDigest(image: FolderImage): string {
  return createHash('sha256').update(JSON.stringify(image)).update(listFiles(image.directory).join('\n')).digest('hex')
}

/** @throws CloudError IMAGE_UNKNOWN for an image that the process engine did not make */
export function readFolderImage(image: string, imagesDirectory: string): FolderImage {
  const found = findFolderImage(image, imagesDirectory)
  if (found !== undefined) return found
  throw new CloudError(
    'FAILED_PRECONDITION',
    `The process engine cannot run the image "${image}": it runs folders.`,
    'Start Docker, then devcloud up --engine docker.',
    { fault: 'IMAGE_UNKNOWN' },
  )
}

/** Undefined for an image that the process engine did not make, or no longer has. */
export function findFolderImage(image: string, imagesDirectory: string): FolderImage | undefined {
  const digest = /^process\/.+@sha256:([0-9a-f]{64})$/.exec(image)?.[1]
  const path = join(imagesDirectory, `${digest ?? ''}.json`)
  return digest !== undefined && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as FolderImage) : undefined
}

export function removeFolderImages(project: string, imagesDirectory: string): void {
  for (const name of existsSync(imagesDirectory) ? readdirSync(imagesDirectory) : []) {
    const path = join(imagesDirectory, name)
    if ((JSON.parse(readFileSync(path, 'utf8')) as FolderImage).project === project) rmSync(path)
  }
}

/** Whether the folder's dependencies are there, as its lock file says them. */
export function isInstalled(directory: string): boolean {
  return installSteps(directory).every(isDone)
}

function isDone({ stamp, hash }: InstallStep): boolean {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
}

interface InstallStep {
  readonly commands: readonly (readonly string[])[]
  readonly stamp: string
  readonly hash: string
}

function installSteps(directory: string): InstallStep[] {
  const path = join(directory, 'package.json')
  if (!existsSync(path)) return []
  const lock = join(directory, 'package-lock.json')
  const files = existsSync(lock) ? [path, lock] : [path]
  const hash = files.reduce((sum, file) => sum.update(readFileSync(file)), createHash('sha256')).digest('hex')
  const quiet = ['--omit=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const fallback = ['npm', 'install', '--no-save', ...quiet]
  return [
    {
      commands: existsSync(lock) ? [['npm', 'ci', ...quiet], fallback] : [fallback],
      stamp: join(directory, 'node_modules', '.devcloud-install'),
      hash,
    },
  ]
}

/** Runs the step's commands until one succeeds: `npm ci` refuses lock files of other registries. */
async function install(step: InstallStep, directory: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
  const last: string[] = []
  for (const command of step.commands) {
    onLine(command.join(' '))
    const code = await run(command, directory, (line) => void (last.push(line) > 20 && last.shift(), onLine(line)), signal)
    if (code === 0) {
      mkdirSync(dirname(step.stamp), { recursive: true })
      return
    }
  }
  throw new CloudError(
    'FAILED_PRECONDITION',
    `The dependencies of ${directory} could not be installed.`,
    `cd ${directory} && npm install`,
    { fault: 'BUILD_FAILED', evidence: last },
  )
}

function run(command: readonly string[], cwd: string, onLine: (line: string) => void, signal: AbortSignal): Promise<number> {
  const [file = '', ...args] = command
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
    const child = spawn(file, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => text.split('\n').filter(Boolean).forEach(onLine))
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  })
}
