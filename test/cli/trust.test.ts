import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { openCertificateAuthority } from '../../src/gateway/certificate-authority.ts'
import { openTlsEnd } from '../../src/gateway/tls-end.ts'
import { findBelievers } from '../../src/gateway/find-believers.ts'
import { certificateId } from '../../src/gateway/trust-plan.ts'
import { givenBackend, givenRouter, oneInstance } from '../router/given-router.ts'
import { givenCli } from './given-cli.ts'

const hasCertutil = process.env['CI'] === 'true' || spawnSync('certutil', ['-H']).error === undefined
if (!hasCertutil)
  process.stderr.write('devcloud: certutil does not answer (apt-get install libnss3-tools): the test of browsers is not run.\n')

/** A home with the database that Chromium would make at its first start. */
function givenHome() {
  const home = mkdtempSync(join(tmpdir(), 'dc-home-'))
  const database = join(home, '.pki/nssdb')
  mkdirSync(database, { recursive: true })
  execFileSync('certutil', ['-N', '--empty-password', '-d', `sql:${database}`])
  return { home, database, [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }) }
}

/** What Chromium of that home says to a page: its text, or the error that it shows. */
async function visit(url: string, home: string): Promise<string> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server'],
    env: { ...process.env, HOME: home },
  })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    return await page.innerText('body')
  } catch (error) {
    return /net::\w+/.exec(String(error))?.[0] ?? String(error)
  } finally {
    await browser.close()
  }
}

test.skipIf(!hasCertutil)(
  'devcloud trust makes Chromium believe https://SERVICE.localhost, --remove takes it back, and both tell what they did',
  async () => {
    await using cli = givenCli()
    using given = givenHome()
    const env = { HOME: given.home }
    await using app = await givenBackend((text, socket) => {
      if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello')
    })
    const authority = await openCertificateAuthority(join(cli.stateDirectory, 'ca'))
    await using router = await givenRouter(oneInstance(app.port), { tlsEnd: await openTlsEnd(authority) })
    const url = `https://app.localhost:${router.router.port}/`
    expect(await visit(url, given.home)).toBe('net::ERR_CERT_AUTHORITY_INVALID')

    const told = await cli.run(['trust', '--store', 'nss'], { env })
    expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining(`✔ ${given.database} (Chromium, Chrome): believes it`) })
    expect(told.stdout).toContain('To undo: devcloud trust --remove')
    expect(await visit(url, given.home)).toBe('hello')
    expect(await findBelievers(certificateId(authority.certificatePem), { ...process.env, ...env })).toContain('Chromium, Chrome')
    expect((await cli.run(['trust', '--store', 'nss'], { env })).code).toBe(0) // again

    const removed = await cli.run(['trust', '--remove', '--store', 'nss'], { env })
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('has it no more') })
    expect(await visit(url, given.home)).toBe('net::ERR_CERT_AUTHORITY_INVALID')
    expect(await findBelievers(certificateId(authority.certificatePem), { ...process.env, ...env })).toEqual([])
    expect((await cli.run(['trust', '--remove', '--store', 'nss'], { env })).code).toBe(0)
  },
  300_000,
)

test('nothing is made, and nothing fails, where there is neither a store nor a certificate', async () => {
  await using cli = givenCli()
  const home = mkdtempSync(join(tmpdir(), 'dc-home-'))
  const removed = await cli.run(['trust', '--remove', '--store', 'nss'], { env: { HOME: home } })
  expect(removed).toMatchObject({ code: 0, stdout: 'There is no certificate here: nothing can believe it.\n' })
  const { code, stdout } = await cli.run(['trust', '--store', 'nss', '--json'], { env: { HOME: home } })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ certificate: join(cli.stateDirectory, 'ca/ca.pem'), stores: [] })
  rmSync(home, { recursive: true, force: true })
}, 30_000)
