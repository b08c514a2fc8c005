import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const modules = realpathSync(fileURLToPath(new URL('../../node_modules', import.meta.url)))

/** Runs a script in a fresh Debian that has this repository and nothing of this machine. @returns what it wrote on both streams */
function inDebian(script: string, user = '0'): string {
  const mounts = [
    `${repository}src:/devcloud/src:ro`,
    `${repository}package.json:/devcloud/package.json:ro`,
    `${modules}:/devcloud/node_modules:ro`,
  ]
  const place = ['--user', user, '-e', 'HOME=/tmp', '-w', '/devcloud', ...mounts.flatMap((mount) => ['-v', mount])]
  const args = ['run', '--rm', '--network', 'none', ...place, image(), 'sh', '-c', script]
  return execFileSync('docker', args, { encoding: 'utf8', timeout: 120_000 })
}

/** Node on a Debian that has the package which gathers certificates. Built once on a machine. */
function image(): string {
  const name = 'devcloud-test/trust:1'
  const options = { env: { ...process.env, DOCKER_BUILDKIT: '0' }, timeout: 300_000 }
  try {
    execFileSync('docker', ['image', 'inspect', name], { ...options, stdio: 'ignore' })
  } catch {
    const apt = 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates'
    execFileSync('docker', ['build', '-q', '-t', name, '-'], {
      ...options,
      input: `FROM node:24-slim\nRUN ${apt}\n`,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
  }
  return name
}

const devcloud = 'node src/cli/main.ts'
const count = `node -e "
  const { readFileSync } = require('fs'), { X509Certificate } = require('crypto')
  const all = readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8').match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g)
  console.log('believed:', all.filter((pem) => /devcloud on/.test(new X509Certificate(pem).subject)).length)"`

test("on Debian devcloud trust adds the authority to the system's bundle, and --remove takes it out", () => {
  const text = inDebian(`${devcloud} trust 2>&1; echo code $?; ${count}; ${devcloud} trust --remove 2>&1; echo code $?; ${count}`)
  expect(text).toMatch(
    /✔ \/usr\/local\/share\/ca-certificates\/devcloud-[0-9a-f]{8}\.crt \(system\): believes it[\s\S]*code 0\nbelieved: 1\n[\s\S]*has it no more[\s\S]*code 0\nbelieved: 0\n$/,
  )
}, 180_000)

test('a user who may not is told the commands', () => {
  const text = inDebian(`${devcloud} trust 2>&1; echo code $?; ${count}`, '1000')
  expect(text).toMatch(/✗ \/usr\/local\/share\/ca-certificates\/devcloud-\w+\.crt \(system\): EACCES/)
  expect(text).toMatch(
    /→ sudo install -m 644 \S+\/ca\.pem \/usr\/local\/share\/ca-certificates\/devcloud-\w+\.crt\n {2}→ sudo update-ca-certificates/,
  )
  expect(text).toMatch(/code 1\nbelieved: 0\n$/)
}, 180_000)
