import { expect, test } from 'vitest'
import { initText } from '../../src/config/init-text.ts'
import { readProject } from '../../src/config/read-project.ts'
import type { Wanted } from '../../src/config/wanted.ts'
import { sections } from '../../src/daemon/catalog.ts'
import { projectFolder } from './project-folder.ts'
import { readWanted } from './read-wanted.ts'

const service = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: web }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/maxScale: '3' } }
    spec:
      containers:
        - image: a
          env: [{ name: KEY, valueFrom: { secretKeyRef: { name: key, key: latest } } }, { name: A, value: '# x' }]
`
const everything = `project: shop-42
region: europe-west1
secrets: { a: { random: 24 }, b: { file: b.bin }, c: { value: "true\\n # x" }, "7": { value: "" } }
instances:
  main: { version: POSTGRES_17, databases: [x], users: { app: { password: { secret: a } }, "1": { password: "1" } } }
  none:
buckets: [shop-b, shop-c]
services:
  one:
    dir: one
    dockerfile: x/Dockerfile
    command: [a, "b c"]
    args: []
    env: { A: "1", B: { secret: a, version: 2 }, C: "x\\n  y\\t", D: "" }
    files: [{ mountPath: /s, secret: a }, { mountPath: /s, secret: a, version: 2, path: x/y }, { mountPath: /t, secret: b }]
    instances: [main, none]
    port: 1
    cpu: 500m
    memory: 1.5G
    concurrency: 1
    scaling: { min: 1, max: 1 }
    timeout: 1
    serviceAccount: a@b.iam.gserviceaccount.com
    before: [npm run x, [sh, -c, "a\\nb"], [node]]
  two: { image: b }
jobs:
  first: { service: one, command: [x], tasks: 3, parallelism: 2, maxRetries: 0, timeout: 1, schedule: "*/5 * * * *" }
  second: { image: c, env: { A: "1" }, schedule: { cron: 0 3 * * 1, timeZone: Europe/Berlin } }
  third: { dir: one, dockerfile: x/Dockerfile, cpu: 2, files: [{ mountPath: /s, secret: a }], instances: [main] }
`
const job = `apiVersion: run.googleapis.com/v1
kind: Job
metadata: { name: nightly }
spec:
  template:
    spec:
      taskCount: 4
      template:
        spec: { containers: [{ image: a, args: [x] }], maxRetries: 1, timeoutSeconds: '900' }
`

test.each<[string, Readonly<Record<string, string | Uint8Array>>]>([
  ['a Dockerfile', { Dockerfile: 'FROM scratch\n' }],
  ['a start script', { 'package.json': '{ "scripts": { "start": "x" } }' }],
  ['a Procfile beside a Dockerfile', { Procfile: 'web: x', Dockerfile: 'FROM scratch\n' }],
  ['a service.yaml', { 'service.yaml': service }],
  ['a service.yaml beside a Dockerfile', { 'service.yaml': service, Dockerfile: 'FROM scratch\n' }],
  ['a service.yaml below a devcloud.yaml', { 'service.yaml': service, 'devcloud.yaml': 'services: { web: { port: 1 }, x: { image: y } }' }],
  ['a service.yaml with another beside it', { 'service.yaml': service, 'devcloud.yaml': 'services: { x: { image: y } }' }],
  ['a job.yaml beside a service.yaml', { 'service.yaml': service, 'job.yaml': job }],
  ['a job.yaml beside a Dockerfile', { Dockerfile: 'FROM scratch\n', 'job.yaml': job }],
  ['jobs alone', { Dockerfile: 'FROM scratch\n', 'devcloud.yaml': 'services: {}\njobs: { a: { dir: . } }' }],
  ['a devcloud.yaml that says everything', { 'devcloud.yaml': everything, 'one/x/Dockerfile': '', 'b.bin': Uint8Array.of(0, 255) }],
])('what was written of %s reads back as the same', async (_, files) => {
  await using folder = await projectFolder(files)
  const wanted = await readProject(folder.path, sections)
  const text = initText(wanted, sections)
  await folder.write({ 'devcloud.yaml': text })
  const again = await readProject(folder.path, sections)
  expect(unplaced(again)).toEqual(unplaced(wanted))
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/node_modules\/devcloud\/schema\.json\n/)
})

test('what other files say stands in comments that count once their # is gone', async () => {
  await using folder = await projectFolder({ 'service.yaml': service, 'job.yaml': job })
  const wanted = await readProject(folder.path, sections)
  const text = initText(wanted, sections)
  expect(text).toContain('# secrets:\n#   key:\n#     random: 32\n')
  const [services = '', jobs = ''] = (text.split('such as migrations.\n')[1] ?? '').split(/\n# Cloud Run jobs.*\n/)
  const commented = services + jobs
  await folder.write({ 'devcloud.yaml': commented.replaceAll(/^( *)# /gm, '$1') })
  expect(unplaced(await readProject(folder.path, sections))).toEqual(unplaced(wanted))
  expect((await readWanted(folder.path)).services[0]?.from.file).toBe('devcloud.yaml')
})

function unplaced(wanted: Wanted): unknown {
  return JSON.parse(JSON.stringify(wanted, (key, value: unknown) => (key === 'from' ? undefined : value)))
}
