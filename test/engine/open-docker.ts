import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Docker from 'dockerode'
import { openLog } from '../../src/base/log.ts'
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import type { Engine } from '../../src/engine/engine.ts'

/** The docker engine at DOCKER_HOST. The suite's Dockerfile begins with an image of a registry: here with one made of this machine's own Node. */
export async function openDocker(stateDirectory: string): Promise<Engine> {
  const engine = await openDockerEngine({
    stateDirectory,
    log: openLog(undefined),
    gateway: { socketPath: join(stateDirectory, 'gateway/gateway.sock') },
  })
  const base = await importNodeImage(new Docker(), 'devcloud-test/node', {}, AbortSignal.timeout(60_000))
  const build: Engine['build'] = async (source, onLine, signal) => {
    const path = join(source.directory, 'Dockerfile')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^FROM .*/, `FROM ${base}`))
    return await engine.build(source, onLine, signal)
  }
  return { ...engine, build }
}
