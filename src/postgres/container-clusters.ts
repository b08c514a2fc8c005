import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CloudError } from '../base/cloud-error.ts'
import type { Engine } from '../engine/engine.ts'
import { readPostgresCompose, type PostgresCompose } from './compose-file.ts'
import { answersInContainer, eraseInContainer, startInContainer, stopInContainer } from './container-server.ts'
import type { ServerSpec } from './container-spec.ts'
import { makeOwned, type Home } from './home.ts'
import { readVolumeRecord, removeVolumeRecord, writeVolumeRecord, type VolumeRecord } from './volume-record.ts'
import type { PostgresOptions } from './postgres-options.ts'
import { standardCompose } from './settings.ts'

/** Clusters whose data is in a container's volume. */
export interface ContainerClusters {
  /** Whether the cluster's data is in a volume. */
  has(name: string): boolean
  /** Makes a cluster and starts its server. False when no container can run; then nothing is left. */
  create(name: string, major: number, signal: AbortSignal): Promise<boolean>
  start(name: string, signal: AbortSignal): Promise<void>
  stop(name: string, signal: AbortSignal): Promise<void>
  /** Removes the cluster with its data. */
  erase(name: string, signal: AbortSignal): Promise<void>
}

/** The oldest version of Cloud SQL with what clusters need: DROP DATABASE WITH (FORCE), and trusted extensions. */
const oldestMajor = 13

export function containerClusters(
  options: PostgresOptions,
  home: Home,
  paths: { readonly folder: (name: string) => string; readonly socketDirectory: (name: string) => string },
): ContainerClusters {
  const specOf = (name: string, record: VolumeRecord, compose: PostgresCompose): ServerSpec => ({
    name,
    project: projectOf(name),
    record: { ...record, image: compose.image },
    sockets: paths.socketDirectory(name),
    compose,
  })
  const composeFor = (name: string, major: number) => readCompose(options.directoryOf?.(projectOf(name)), major)
  const recordOf = (name: string): VolumeRecord => {
    const record = readVolumeRecord(paths.folder(name))
    if (record === undefined) throw new Error(`${name} does not live in a container`)
    return record
  }
  const engineOf = async (name: string): Promise<Engine> => {
    const engine = await options.containersFor?.(projectOf(name))
    if (engine !== undefined) return engine
    const message = `The data of the Cloud SQL instance ${name} is in a volume of Docker, which its project does not use now.`
    throw new CloudError('UNAVAILABLE', message, 'Start Docker, then devcloud up --engine docker', { fault: 'DOCKER_UNREACHABLE' })
  }
  const start = async (engine: Engine, name: string, record: VolumeRecord, compose: PostgresCompose, signal: AbortSignal) => {
    const spec = specOf(name, record, compose)
    await startInContainer(engine, home, spec, signal)
    if (!record.isInitialized || record.image !== compose.image)
      writeVolumeRecord(paths.folder(name), { ...spec.record, isInitialized: true })
  }

  return {
    has: (name) => readVolumeRecord(paths.folder(name)) !== undefined,
    async create(name, major, signal) {
      // On such an engine a container's socket is not a socket of this host, even in a folder that both see.
      const engine = process.platform === 'linux' && major >= oldestMajor ? await options.containersFor?.(projectOf(name)) : undefined
      if (engine === undefined) return false
      const compose = composeFor(name, major)
      makeOwned(home, paths.folder(name), 0o711)
      const volume = `sql-${randomBytes(6).toString('hex')}` // never one that an instance of this name had before
      const record = writeVolumeRecord(paths.folder(name), { kind: 'container', major, image: compose.image, volume, isInitialized: false })
      try {
        await start(engine, name, record, compose, signal)
        return true
      } catch (error) {
        if (!isUnknownImage(error)) throw error
        const own = ownCompose(options.directoryOf?.(projectOf(name)))
        if (own !== undefined) throw imageAbsent(own, compose.image, error)
        rmSync(paths.socketDirectory(name), { recursive: true, force: true })
        removeVolumeRecord(paths.folder(name))
        return false
      }
    },
    async start(name, signal) {
      const record = recordOf(name)
      if (record.isInitialized && (await answersInContainer(home, paths.socketDirectory(name)))) return
      await start(await engineOf(name), name, record, composeFor(name, record.major), signal)
    },
    async stop(name, signal) {
      recordOf(name)
      await stopInContainer(await engineOf(name), name, signal)
    },
    async erase(name, signal) {
      const record = recordOf(name)
      const standard = readPostgresCompose(standardCompose(), 'compose/postgres.yaml', record.major, standardCompose())
      const compose = { ...standard, image: record.image } // a project's own file may be gone, or wrong
      try {
        await eraseInContainer(await engineOf(name), home, specOf(name, record, compose), signal)
      } catch (error) {
        if (!isUnknownImage(error)) throw error // without its image nothing can reach into its volume, which no later cluster gets
      }
    },
  }
}

function isUnknownImage(error: unknown): boolean {
  return error instanceof CloudError && error.fault === 'IMAGE_UNKNOWN'
}

/** `PROJECT:REGION:INSTANCE`, where a project may have a domain: `example.com:shop`. */
function projectOf(name: string): string {
  return name.split(':').slice(0, -2).join(':')
}

/** The project's own compose/postgres.yaml. Undefined for a project without the file. */
function ownCompose(directory: string | undefined): string | undefined {
  const path = directory === undefined || directory === '' ? undefined : join(directory, 'compose/postgres.yaml')
  return path !== undefined && existsSync(path) ? path : undefined
}

function readCompose(directory: string | undefined, major: number): PostgresCompose {
  const own = ownCompose(directory)
  return readPostgresCompose(
    own === undefined ? standardCompose() : readFileSync(own, 'utf8'),
    'compose/postgres.yaml',
    major,
    standardCompose(),
  )
}

/** The error for a project's own file whose image is missing: no other image replaces it. */
function imageAbsent(path: string, image: string, cause: unknown): CloudError {
  const message = `The image ${image}, which ${path} names for Cloud SQL, is not there and cannot be pulled.`
  return new CloudError('FAILED_PRECONDITION', message, `docker pull ${image}, or correct the file.`, { cause, fault: 'IMAGE_UNKNOWN' })
}
