// Generates src/api/gen from Google's protos with buf, offline. Runs on Node 20 and later.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync, readFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The protos of the products that we answer for; buf follows their imports. One line a product. */
const protos = [
  'google/cloud/run/v2',
  'google/cloud/secretmanager/v1',
  'google/rpc/error_details.proto',
  'google/longrunning/operations.proto',
  'google/iam/v1',
  'google/iam/admin/v1/iam.proto',
  'google/iam/credentials/v1',
  'google/api/serviceusage/v1',
  'google/cloud/resourcemanager/v3/projects.proto',
]
/** What they import, and they themselves. */
const folders = [
  'api',
  'rpc',
  'iam',
  'longrunning',
  'type',
  'cloud/run',
  'cloud/secretmanager',
  'cloud/resourcemanager',
  'cloud/common_resources.proto',
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = dirname(createRequire(import.meta.url).resolve('google-proto-files/package.json'))
const work = mkdtempSync(join(tmpdir(), 'devcloud-protos-'))
try {
  mkdirSync(join(work, 'google'))
  for (const folder of folders) {
    cpSync(join(source, 'google', folder), join(work, 'google', folder), { recursive: true })
  }
  writeFileSync(join(work, 'buf.yaml'), 'version: v2\n')
  writeFileSync(join(work, 'buf.gen.yaml'), readFileSync(join(root, 'buf.gen.yaml'), 'utf8').replace('src/api/gen', join(work, 'gen')))
  execFileSync(join(root, 'node_modules/.bin/buf'), ['generate', ...protos.flatMap((path) => ['--path', path])], {
    cwd: work,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  })
  rmSync(join(root, 'src/api/gen'), { recursive: true, force: true })
  cpSync(join(work, 'gen'), join(root, 'src/api/gen'), { recursive: true })
} finally {
  rmSync(work, { recursive: true, force: true })
}
