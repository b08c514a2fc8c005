import { create } from '@bufbuild/protobuf'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { ExecutionSchema } from '../../src/api/gen/google/cloud/run/v2/execution_pb.ts'
import { JobSchema, type Job } from '../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import type { Clock } from '../../src/base/clock.ts'
import { openLog } from '../../src/base/log.ts'
import { openCertificateAuthority, type CertificateAuthority } from '../../src/gateway/certificate-authority.ts'
import { scheduleKey } from '../../src/products/run/jobs/schedule.ts'
import { openScheduler } from '../../src/products/run/jobs/scheduler.ts'
import { givenMetadata } from '../metadata/given-metadata.ts'
import { givenStore } from '../objects/given-store.ts'

const dayMs = 86_400_000

/** A clock whose wall is set while its ticks go on. */
function steppedClock(): Clock & { step(ms: number): void } {
  let offsetMs = 0
  return { nowMs: () => Date.now() + offsetMs, ticksMs: () => performance.now(), step: (ms) => void (offsetMs += ms) }
}

/** The chain that a server shows which stands on `authority`, leaf first. */
async function chainOf(authority: CertificateAuthority, host: string): Promise<readonly X509Certificate[]> {
  const server = tls.createServer({
    SNICallback: (name, answer) => void authority.secureContext(name).then((context) => answer(null, context), answer),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  // The client's own clock is not the stepped one: what it would say of the times is asked of the certificates.
  const socket = tls.connect({ port, host: '127.0.0.1', servername: host, ca: authority.certificatePem, rejectUnauthorized: false })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const { raw, issuerCertificate } = socket.getPeerCertificate(true)
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  const [leaf, issuer] = [new X509Certificate(raw), new X509Certificate(issuerCertificate.raw)]
  expect(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey) && leaf.checkHost(host) === host).toBe(true)
  expect(issuer.toString().trim()).toBe(authority.certificatePem.trim())
  return [leaf, issuer]
}

test.each([
  ['5 seconds back', -5000],
  ['an hour back', -3_600_000],
  ['a month back', -31 * dayMs],
  ['a year back', -365 * dayMs],
  ['an hour ahead', 3_600_000],
  ['31 days ahead', 31 * dayMs],
  ['400 days ahead', 400 * dayMs],
])(
  'F41, F43: after a step of %s every leaf and the authority are valid at the time that clients read, without a restart',
  async (_, stepMs) => {
    const clock = steppedClock()
    const authority = await openCertificateAuthority(mkdtempSync(join(tmpdir(), 'devcloud-ca-')), clock)
    await chainOf(authority, 'storage.googleapis.com')
    clock.step(stepMs)
    for (const host of ['storage.googleapis.com', 'run.googleapis.com']) {
      for (const certificate of await chainOf(authority, host)) {
        expect(Date.parse(certificate.validFrom)).toBeLessThan(clock.nowMs())
        expect(Date.parse(certificate.validTo)).toBeGreaterThan(clock.nowMs())
      }
    }
  },
)

test('F43: an authority of which two thirds are over is made anew by a daemon that runs, and its files tell of it', async () => {
  const clock = steppedClock()
  const authority = await openCertificateAuthority(mkdtempSync(join(tmpdir(), 'devcloud-ca-')), clock)
  const before = authority.certificatePem
  clock.step(3000 * dayMs)
  await chainOf(authority, 'storage.googleapis.com')
  expect(authority.certificatePem).not.toBe(before)
  expect(readFileSync(authority.certificatePath, 'utf8')).toBe(authority.certificatePem)
  expect(readFileSync(authority.bundlePath, 'utf8')).toContain(authority.certificatePem)
})

test.each([
  ['a month back', -31 * dayMs],
  ['an hour ahead', 3_600_000],
])('F41: after a step of %s an instance is given a token anew, which lives as long as any and is believed', async (_, stepMs) => {
  const clock = steppedClock()
  await using metadata = await givenMetadata({ clock })
  const token = async () =>
    (await (await metadata.get('instance/service-accounts/default/token')).json()) as { access_token: string; expires_in: number }
  const first = await token()
  expect((await token()).access_token).toBe(first.access_token)
  clock.step(stepMs)
  const second = await token()
  expect(second.access_token).not.toBe(first.access_token)
  expect(second.expires_in).toBeGreaterThan(3500)
  expect(second.expires_in).toBeLessThanOrEqual(3599)
  expect(metadata.tokens.read(second.access_token)).toBeDefined()
  const identity = await metadata.text('instance/service-accounts/default/identity?audience=https://a')
  expect(metadata.tokens.readIdToken(identity)).toBeDefined()
})

test('F41: generations and times of change only grow while the clock goes back and ahead', async () => {
  const clock = steppedClock()
  await using given = await givenStore(undefined, clock)
  let last = 0
  for (const stepMs of [0, -5000, -31 * dayMs, 31 * dayMs, 3_600_000, -3_600_000]) {
    clock.step(stepMs)
    const { generation } = await given.put('object', 'bytes')
    expect(generation).toBeGreaterThan(last)
    last = generation
  }
})

test('F41: a schedule is planned anew after the clock was set back by a day, and runs nothing twice after a few seconds', async () => {
  const clock = steppedClock()
  const job = create(JobSchema, { name: 'projects/p/locations/r/jobs/hourly', annotations: { [scheduleKey]: '0 * * * *' } })
  const jobs: Job[] = [job]
  using scheduler = openScheduler(
    { clock, isUp: () => true, log: openLog(undefined) },
    { all: () => jobs, runNow: async () => create(ExecutionSchema) },
  )
  scheduler.refresh()
  const planned = scheduler.nextRunMs(job.name) ?? 0
  clock.step(-5000)
  scheduler.refresh()
  expect(scheduler.nextRunMs(job.name)).toBe(planned)
  clock.step(-dayMs)
  scheduler.refresh()
  expect((scheduler.nextRunMs(job.name) ?? 0) - clock.nowMs()).toBeLessThanOrEqual(3_600_000)
})

test('F41: the wall clock is read through base/clock.ts, so that tests can step it; what is left says a time, and measures none', () => {
  const source = join(import.meta.dirname, '../../src')
  const allowed = [
    'base/clock.ts',
    'daemon/crash.ts', // the time of a log's line
    'daemon/logs.ts', // `--since` of a person
    'daemon/loop-watcher.ts', // the time of a log's line
    'engine/docker/node-image.ts', // age of an image, by the engine's own clock
    'engine/process/shim.mjs', // times of lines
    'router/forward-head.ts', // the Date header
  ]
  const found = (readdirSync(source, { recursive: true }) as string[])
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('/gen/'))
    .filter((path) => readFileSync(join(source, path), 'utf8').includes('Date.now()'))
  expect(found.toSorted()).toEqual(allowed)
})
