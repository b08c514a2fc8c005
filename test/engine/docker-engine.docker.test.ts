import { conformance } from './conformance.ts'
import { openDocker } from './open-docker.ts'

conformance('docker engine', openDocker)
