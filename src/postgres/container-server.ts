import { existsSync, mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudError } from '../base/cloud-error.ts'
import type { Container, Engine } from '../engine/engine.ts'
import { discard } from './discard.ts'
import type { PostgresCompose } from './compose-file.ts'
import { dataExits, databaseLabel, toServerSpec, type ServerSpec } from './container-spec.ts'
import { dataGone, otherMajor } from './data-faults.ts'
import type { Home } from './home.ts'
import { withAdmin } from './server.ts'

/** Starts the server in a container, or takes over a running one. Resolves when the server answers. @throws CloudError POSTGRES_FAILED, IMAGE_UNKNOWN */
export async function startInContainer(engine: Engine, home: Home, server: ServerSpec, signal: AbortSignal): Promise<void> {
  if (!existsSync(server.sockets)) mkdirSync(server.sockets, { recursive: true, mode: 0o755 })
  const running = await findRunning(engine, server.name, signal)
  const container = running ?? (await engine.start(toServerSpec(home, server), signal))
  try {
    await waitUntilAnswering(home, server, container, signal)
    await check(server.compose, container, signal)
  } catch (error) {
    if (running === undefined && !signal.aborted) await container.remove(AbortSignal.timeout(30_000))
    throw error
  }
}

/** Stops the server fast and cleanly by SIGINT: sessions are cut, and the data needs no recovery. The container is removed, the volume stays. */
export async function stopInContainer(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  const containers = await findAll(engine, name, signal)
  await Promise.all(
    containers.map(async (container) => {
      if (container.state === 'running') {
        // SIGTERM, which `stop` sends, would wait for the last client
        await container.exec(['sh', '-c', 'kill -INT 1'], { stdout: discard(), stderr: discard() }, signal).catch(() => {})
      }
      await container.stop(15_000, signal)
      await container.remove(signal)
    }),
  )
}

/**
 * Kills the server and empties its volume and its socket folder, by a container of the same image, since the files belong to another user. The engine
 * cannot remove a single volume: `Engine.removeProject` removes the empty one later.
 */
export async function eraseInContainer(engine: Engine, home: Home, server: ServerSpec, signal: AbortSignal): Promise<void> {
  for (const container of await findAll(engine, server.name, signal)) await container.remove(signal)
  if (!existsSync(server.sockets)) mkdirSync(server.sockets, { recursive: true, mode: 0o755 })
  const { image, mounts, ...spec } = toServerSpec(home, server)
  const folders = mounts.filter((mount) => mount.kind !== 'files')
  const command = ['find', ...folders.map(({ target }) => target), '-mindepth', '1', '-delete']
  const eraser = await engine.start(
    { ...spec, image, mounts: folders, command: command.slice(0, 1), args: command.slice(1), env: {} },
    signal,
  )
  try {
    while ((await eraser.inspect(signal)).state !== 'exited') await sleep(50, undefined, { signal })
  } finally {
    await eraser.remove(AbortSignal.timeout(30_000))
  }
}

/** Whether the server answers. The server that the image runs during initialization does not count: it is not the container's first process. */
export async function answersInContainer(home: Home, sockets: string): Promise<boolean> {
  if (!existsSync(`${sockets}/.s.PGSQL.5432`)) return false
  try {
    return await withAdmin(home, sockets, 'template1', async (client) => {
      const { rows } = await client.query<{ readonly file: string }>("SELECT pg_read_file('postmaster.pid') AS file")
      return rows[0]?.file.split('\n')[0] === '1'
    })
  } catch {
    return false
  }
}

async function waitUntilAnswering(home: Home, server: ServerSpec, container: Container, signal: AbortSignal): Promise<void> {
  const { deadlineMs } = server.compose.healthcheck
  const end = performance.now() + deadlineMs
  for (let round = 1; !(await answersInContainer(home, server.sockets)); round++) {
    const { state, exitCode } = round % 20 === 0 ? await container.inspect(signal) : { state: undefined, exitCode: undefined }
    if (state === 'exited') throw await whyEnded(server, container, exitCode, signal)
    if (performance.now() > end)
      throw await failed(container, `Postgres of ${server.name} does not answer within ${deadlineMs} ms.`, signal)
    await sleep(20, undefined, { signal })
  }
}

async function whyEnded(server: ServerSpec, container: Container, exitCode: number | undefined, signal: AbortSignal): Promise<CloudError> {
  const { name, record } = server
  const fault = await failed(container, `Postgres ended in the container of ${name}.`, signal)
  if (exitCode === dataExits.gone) return dataGone(name, `Docker's volume "...-${record.volume}"`)
  if (exitCode !== dataExits.otherMajor) return fault
  const found = fault.evidence.at(-1) ?? ''
  const upgrade = `set the image in compose/postgres.yaml to postgres:${found}, devcloud up, docker exec CONTAINER pg_dumpall -U cloudsqladmin > all.sql`
  return otherMajor(name, found, record.image, upgrade)
}

/** Runs the healthcheck of the Compose file once. */
async function check({ healthcheck }: PostgresCompose, container: Container, signal: AbortSignal): Promise<void> {
  const { command, timeoutMs, deadlineMs } = healthcheck
  if (command === undefined) return
  const end = performance.now() + deadlineMs
  for (;;) {
    const late = AbortSignal.timeout(timeoutMs)
    const run = container.exec(command, { stdout: discard(), stderr: discard() }, AbortSignal.any([signal, late]))
    const code = await run.catch((error: unknown) => {
      if (late.aborted) return 1
      throw error
    })
    if (code === 0) return
    if (performance.now() > end) throw await failed(container, `The healthcheck "${command.join(' ')}" of Postgres exits ${code}.`, signal)
    await sleep(200, undefined, { signal })
  }
}

async function failed(container: Container, message: string, signal: AbortSignal): Promise<CloudError> {
  const evidence: string[] = []
  for await (const line of container.logs({ follow: false, tail: 10 }, signal)) evidence.push(line.text)
  return new CloudError('UNAVAILABLE', message, 'Look at compose/postgres.yaml, and at devcloud doctor.', {
    fault: 'POSTGRES_FAILED',
    evidence,
  })
}

/** The running container of the server. Containers that have ended are removed. */
async function findRunning(engine: Engine, name: string, signal: AbortSignal): Promise<Container | undefined> {
  const all = await findAll(engine, name, signal)
  const running = all.find(({ state }) => state === 'running')
  for (const container of all) if (container !== running) await container.remove(signal)
  return running
}

async function findAll(engine: Engine, name: string, signal: AbortSignal): Promise<readonly Container[]> {
  return (await engine.list(signal)).filter(({ labels }) => labels[databaseLabel] === name)
}
