import { expect, test } from 'vitest'
import { wantedBodies } from '../../../../src/products/run/project/bodies.ts'
import { planRun, type ObservedRun } from '../../../../src/products/run/project/plan-run.ts'
import { projectFolder } from '../../../config/project-folder.ts'
import { readWanted, type AllWanted } from '../../../config/read-wanted.ts'

const files = {
  Dockerfile: 'FROM scratch\nCMD ["/app"]\n',
  'devcloud.yaml': `services:
  web: { env: { A: "1" }, before: [migrate] }
  api: { concurrency: 10 }
  ready: { image: nginx:1, invoker: private }
jobs:
  nightly: { service: web, schedule: "0 3 * * *" }
`,
}
const image = 'sha256:1'
const isThere = { terminalCondition: { state: 'CONDITION_SUCCEEDED' }, reconciling: false }

async function wantedOf(more: Readonly<Record<string, string>> = {}): Promise<AllWanted> {
  await using folder = await projectFolder({ ...files, ...more }, 'shop-app')
  return await readWanted(folder.path)
}

/** What there is when `wanted` was made. */
function observe(wanted: AllWanted): ObservedRun {
  const bodies = wantedBodies(wanted)
  const imageOf = (id: string) => (id === 'ready' ? 'nginx:1' : image)
  return {
    services: new Map(
      wanted.services.map((service) => [
        service.id,
        { found: { ...bodies.service(service, imageOf(service.id)), ...isThere }, isOpen: service.invoker === 'all' },
      ]),
    ),
    jobs: new Map(wanted.jobs.map((job) => [job.id, { ...bodies.job(job, image) }])),
    builds: new Map(['web', 'api'].map((id) => [id, { image, isCurrent: true }])),
  }
}

/** `service web < build:web: created: devcloud.yaml:2` */
function text(wanted: AllWanted, observed: ObservedRun): readonly string[] {
  return planRun(wanted, wantedBodies(wanted), observed).map(
    ({ name, after, cause }) => `${[name, ...(after.length > 0 ? ['<', ...after] : [])].join(' ')}: ${cause ?? 'kept'}`,
  )
}

const nothing: ObservedRun = { services: new Map(), jobs: new Map(), builds: new Map() }

test('of a new project everything is created, from the line that says it', async () => {
  expect(text(await wantedOf(), nothing)).toEqual([
    'build web: created: devcloud.yaml:2',
    'build api < build:web: created: devcloud.yaml:3', // the same folder: what the first makes is cached for the second
    'service web < build:web: created: devcloud.yaml:2',
    'service api < build:api service:web: created: devcloud.yaml:3', // behind the commands before web
    'service ready < service:web: created: devcloud.yaml:4',
    'job nightly < build:web: created: devcloud.yaml:6',
  ])
})

test('of a project that runs as its files say everything is kept', async () => {
  const wanted = await wantedOf()
  expect(text(wanted, observe(wanted)).filter((line) => !line.endsWith(': kept'))).toEqual([])
})

test('what changed is the cause', async () => {
  const before = observe(await wantedOf())
  const now = await wantedOf({
    'devcloud.yaml': `services:
  web: { env: { A: "2" }, before: [migrate] }
  api: { concurrency: 20, cpu: 2 }
  ready: { image: "nginx:2" }
jobs: {}
`,
  })
  expect(text(now, before).filter((line) => !line.endsWith(': kept'))).toEqual([
    'service web < build:web: new revision: env changed',
    'service api < build:api service:web: new revision: maxInstanceRequestConcurrency, resources.limits.cpu changed',
    'service ready < service:web: new revision: image changed',
    'job nightly: no file says its schedule any more',
  ])
})

test('a folder that changed is built, and what runs its image is deployed', async () => {
  const wanted = await wantedOf()
  const observed = { ...observe(wanted), builds: new Map([['web', { image, isCurrent: false }], ['api', { image, isCurrent: true }]]) } // prettier-ignore
  expect(text(wanted, observed).filter((line) => !line.endsWith(': kept'))).toEqual([
    'build web: source changed, or only a build can tell',
    'service web < build:web: new revision: image changed',
    'job nightly < build:web: updated: image changed',
  ])
})

test('a service that failed is deployed again, and one that the wrong people may call is opened or closed', async () => {
  const wanted = await wantedOf()
  const observed = observe(wanted)
  const services = new Map(observed.services)
  for (const [id, change] of [
    ['web', { found: { ...services.get('web')?.found, terminalCondition: { state: 'CONDITION_FAILED' } }, isOpen: true }],
    ['ready', { found: services.get('ready')?.found ?? {}, isOpen: true }],
  ] as const)
    services.set(id, change)
  expect(text(wanted, { ...observed, services }).filter((line) => !line.endsWith(': kept'))).toEqual([
    'service web < build:web: new revision: the last one failed',
    'service ready < service:web: invoker: private',
  ])
})
