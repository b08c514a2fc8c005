import { lookup } from 'node:dns/promises'
import { statfs } from 'node:fs/promises'
import { messageOf, CloudError } from '../base/cloud-error.ts'
import { findBelievers } from '../gateway/find-believers.ts'
import { certificateId } from '../gateway/trust-plan.ts'
import type { DoctorAnswer, DoctorCheck } from './control-protocol.ts'
import type { House } from './house.ts'

const lowDiskBytes = 2 * 2 ** 30

/** What devcloud needs of this machine, each with what to do about it. */
export async function doctor(house: House): Promise<DoctorAnswer> {
  return {
    checks: await Promise.all([
      checkEngine(house),
      checkDisk(house),
      checkPort(house),
      checkGateway(house),
      checkTrust(house),
      checkNames(),
      checkPostgres(house),
    ]),
  }
}

async function checkEngine({ foundation }: House): Promise<DoctorCheck> {
  try {
    const engine = await foundation.engines.choose('docker')
    return { name: 'engine', state: 'ok', detail: await engine.describe() }
  } catch (error) {
    const tried = error instanceof CloudError ? error.evidence.join('; ') : messageOf(error)
    return {
      name: 'engine',
      state: 'warning',
      detail: `no containers: ${tried}. Applications run as processes, without image and sandbox`,
      fix: 'start Docker or Podman',
    }
  }
}

async function checkDisk({ foundation }: House): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(foundation.stateDirectory)
  const freeBytes = bavail * bsize
  const detail = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free for ${foundation.stateDirectory}`
  return freeBytes < lowDiskBytes
    ? { name: 'disk', state: 'warning', detail, fix: 'free some, or devcloud clean' }
    : { name: 'disk', state: 'ok', detail }
}

async function checkPort({ foundation }: House): Promise<DoctorCheck> {
  const { port } = foundation.router
  if (port === 80) return { name: 'router', state: 'ok', detail: 'port 80: URLs have no port' }
  return {
    name: 'router',
    state: 'ok',
    detail: `port ${port}, since 80 is taken or not allowed; applications see portless https origins all the same`,
  }
}

async function checkGateway({ gateway, foundation }: House): Promise<DoctorCheck> {
  return { name: 'gateway', state: 'ok', detail: `port ${gateway.port}; its CA is ${foundation.authority.certificatePath}` }
}

/** Never needed: plain http answers for every service, and what devcloud starts believes us anyway. */
async function checkTrust({ foundation }: House): Promise<DoctorCheck> {
  const believers = await findBelievers(certificateId(foundation.authority.certificatePem), process.env)
  const detail =
    believers.length === 0
      ? 'no store of this machine believes our https URLs (devcloud trust)'
      : `https URLs are believed by ${believers.join(', ')}`
  return { name: 'trust', state: 'ok', detail }
}

/** Browsers resolve `.localhost` by themselves; other tools ask the system. */
async function checkNames(): Promise<DoctorCheck> {
  try {
    const { address } = await lookup('devcloud-check.localhost')
    return { name: 'names', state: 'ok', detail: `*.localhost is ${address}` }
  } catch {
    return {
      name: 'names',
      state: 'warning',
      detail: 'the system does not resolve *.localhost; browsers do',
      fix: 'for curl: --resolve NAME.localhost:PORT:127.0.0.1',
    }
  }
}

async function checkPostgres({ foundation }: House): Promise<DoctorCheck> {
  return { name: 'postgres', state: 'ok', detail: `embedded, version ${foundation.postgres.major}` }
}
