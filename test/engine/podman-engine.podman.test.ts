import { afterAll, beforeAll } from 'vitest'
import { conformance } from './conformance.ts'
import { givenPodman, type GivenPodman } from './given-podman.ts'
import { openDocker } from './open-docker.ts'

let podman: GivenPodman
beforeAll(async () => {
  podman = await givenPodman()
  process.env['DOCKER_HOST'] = podman.url
})
afterAll(() => podman[Symbol.asyncDispose]())

conformance('docker engine on Podman', openDocker)
