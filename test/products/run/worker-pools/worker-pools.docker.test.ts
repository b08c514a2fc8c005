import { execFileSync } from 'node:child_process'
import { RevisionsClient, WorkerPoolsClient, type protos } from '@google-cloud/run'
import { credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

type WorkerPool = protos.google.cloud.run.v2.IWorkerPool

let given: GivenRun
let pools: WorkerPoolsClient
let revisions: RevisionsClient

const connect = () => {
  const options = { apiEndpoint: 'localhost', port: given.house.gateway.port, sslCreds: credentials.createInsecure() }
  pools = new WorkerPoolsClient(options)
  revisions = new RevisionsClient(options)
}
beforeAll(async () => {
  given = await givenRun()
  connect()
})
afterAll(async () => {
  await Promise.all([pools.close(), revisions.close()])
  await given[Symbol.asyncDispose]()
})

/** A worker that runs `script` in sh. */
const worker = (script: string, count?: number): WorkerPool => ({
  template: { containers: [{ image: 'debian:bookworm-slim', command: ['sh', '-c', `trap 'echo bye; exit 0' TERM; ${script}`] }] },
  ...(count !== undefined && { scaling: { manualInstanceCount: count } }),
})
const forever = 'while true; do sleep 0.1; done'

async function create(workerPoolId: string, workerPool: WorkerPool): Promise<string> {
  const [operation] = await pools.createWorkerPool({ parent: given.parent, workerPoolId, workerPool })
  const [made] = await operation.promise()
  return made.name ?? ''
}

/** Ids of the containers that run, with the revision of each. */
function running(pool: string): { readonly id: string; readonly revision: string }[] {
  const filters = ['--filter', `label=dev.devcloud.label.workerPool=${pool}`, '--filter', `label=dev.devcloud.project=${given.project}`]
  const format = '{{.ID}} {{.Label "dev.devcloud.label.revision"}}'
  const lines = execFileSync('docker', ['ps', ...filters, '--format', format], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
  return lines.map((line) => ({ id: line.split(' ')[0] ?? '', revision: line.split(' ')[1] ?? '' }))
}

const linesOf = (pool: string) =>
  given.house.foundation.containerLog.tail({ project: given.project, owner: pool }, 1000).map(({ text }) => text)

test('a worker sees its own two variables and no PORT, runs as one instance, and is no service', async () => {
  const name = await create('plain', worker(`env | grep -E "^(CLOUD_RUN|PORT|K_)" | sort | tr "\\n" " "; echo; ${forever}`))
  const [pool] = await pools.getWorkerPool({ name })
  expect(pool).toMatchObject({
    reconciling: false,
    generation: '1',
    observedGeneration: '1',
    latestReadyRevision: pool.latestCreatedRevision,
  })
  expect(pool.terminalCondition).toMatchObject({ type: 'Ready', state: 'CONDITION_SUCCEEDED' })
  const id = pool.latestReadyRevision?.split('/').at(-1) ?? ''
  expect(id).toMatch(/^plain-00001-[a-z]{3}$/)
  expect(pool.instanceSplitStatuses).toMatchObject([{ revision: id, percent: 100 }])
  expect(linesOf('plain')).toEqual([`CLOUD_RUN_WORKER_POOL=plain CLOUD_RUN_WORKER_POOL_REVISION=${id} `])
  expect(running('plain').length).toBe(1)
  const [revision] = await revisions.getRevision({ name: pool.latestReadyRevision ?? '' })
  expect(revision.conditions).toMatchObject([{ type: 'Ready', state: 'CONDITION_SUCCEEDED' }])
})

test('a change of the template replaces the instances, a change of the scaling makes no revision', async () => {
  const name = await create('rolled', worker(forever, 2))
  const first = running('rolled')
  const [scaling] = await pools.updateWorkerPool({
    workerPool: { name, scaling: { manualInstanceCount: 1 } },
    updateMask: { paths: ['scaling'] },
  })
  await scaling.promise()
  await eventually('one is left', () => running('rolled').length === 1)
  const [update] = await pools.updateWorkerPool({ workerPool: { name, ...worker(`echo second; ${forever}`) } })
  const [updated] = await update.promise()
  expect(String(updated.generation)).toBe('3')
  const listed = (await revisions.listRevisions({ parent: name }))[0].map((revision) => revision.name?.split('/').at(-1))
  expect(listed.map((id) => id?.slice(0, 12))).toEqual(['rolled-00002', 'rolled-00001'])
  await eventually(
    'the new revision alone runs',
    () =>
      running('rolled')
        .map(({ revision }) => revision)
        .join() === listed[0],
  )
  expect(first.length).toBe(2)
  expect(linesOf('rolled').filter((line) => line === 'bye').length).toBe(2)
})

test('a revision that does not come up changes nothing of what runs, and the operation tells why', async () => {
  const name = await create('kept', worker(forever))
  const [before] = running('kept')
  const [update] = await pools.updateWorkerPool({ workerPool: { name, ...worker('echo broken; exit 4') } })
  await expect(update.promise()).rejects.toMatchObject({ message: expect.stringContaining('exited with code 4') })
  const [pool] = await pools.getWorkerPool({ name })
  expect(pool.terminalCondition).toMatchObject({ state: 'CONDITION_FAILED' })
  expect(pool.latestReadyRevision).not.toBe(pool.latestCreatedRevision)
  await eventually(
    'the old instance alone runs',
    () =>
      running('kept')
        .map(({ id }) => id)
        .join() === before?.id,
  )
})

test('an instance that ends is started again, with a back-off', async () => {
  await create('restless', worker('echo up; sleep 2'))
  await eventually('it was started three times', () => linesOf('restless').filter((line) => line === 'up').length >= 3, 60_000)
})

test('with a count of 0 nothing starts', async () => {
  const name = await create('none', worker(forever, 0))
  expect((await pools.getWorkerPool({ name }))[0].terminalCondition).toMatchObject({ state: 'CONDITION_SUCCEEDED' })
  expect(running('none')).toEqual([])
})

test('instances are split over named revisions', async () => {
  const name = await create('split', worker(forever, 4))
  const old = (await pools.getWorkerPool({ name }))[0].latestReadyRevision?.split('/').at(-1) ?? ''
  const instanceSplits = [
    { type: 'INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST' as const, percent: 25 },
    { type: 'INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION' as const, revision: old, percent: 75 },
  ]
  const [update] = await pools.updateWorkerPool({ workerPool: { name, ...worker(`echo new; ${forever}`, 4), instanceSplits } })
  await update.promise()
  await eventually('three of the old one run, one of the new', () => {
    const all = running('split').map(({ revision }) => revision)
    return all.length === 4 && all.filter((revision) => revision === old).length === 3
  })
  await expect(
    pools.updateWorkerPool({ workerPool: { name, ...worker(forever), instanceSplits: [{ type: 2, revision: 'split-x', percent: 100 }] } }),
  ).rejects.toMatchObject({ code: 9 })
})

test('run traps 34 and 37: a stale etag is refused, and what is validated is not stored', async () => {
  const name = await create('ruled', worker(forever, 0))
  const etag = '"stale"'
  await expect(pools.updateWorkerPool({ workerPool: { name, etag, ...worker(forever) } })).rejects.toMatchObject({ code: 10 })
  await expect(pools.deleteWorkerPool({ name, etag })).rejects.toMatchObject({ code: 10 })
  await pools.updateWorkerPool({ workerPool: { name, ...worker(forever, 3) }, validateOnly: true })
  expect((await pools.getWorkerPool({ name }))[0]).toMatchObject({ generation: '1', scaling: { manualInstanceCount: 0 } })
  const [dry] = await pools.createWorkerPool({ parent: given.parent, workerPoolId: 'dry', workerPool: worker(forever), validateOnly: true })
  await dry.promise()
  await expect(pools.getWorkerPool({ name: `${given.parent}/workerPools/dry` })).rejects.toMatchObject({ code: 5 })
  await pools.setIamPolicy({ resource: name, policy: { bindings: [{ role: 'roles/run.developer', members: ['user:a@example.com'] }] } })
})

test('an instance of several containers waits for its sidecar, is adopted whole, and ends whole', async () => {
  const side = (script: string) => ({ name: 'side', image: 'debian:bookworm-slim', command: ['sh', '-c', script] })
  const web = `require('node:http').createServer((q, r) => r.end('hello')).listen(9000); process.on('SIGTERM', () => process.exit())`
  const startupProbe = { tcpSocket: { port: 9000 }, periodSeconds: 1, failureThreshold: 30 }
  const ask = `fetch('http://side:9000').then(async (r) => console.log(await r.text())); setInterval(() => {}, 1e6); process.on('SIGTERM', () => process.exit())`
  const pair = `pair-${crypto.randomUUID().slice(0, 6)}` // another one when the test is tried again
  const name = await create(pair, {
    template: {
      containers: [
        { name: 'main', image: given.image, command: ['node', '-e', ask], dependsOn: ['side'] },
        { name: 'side', image: given.image, command: ['node', '-e', web], startupProbe },
      ],
    },
  })
  await eventually('the sidecar answers', () => linesOf(pair).includes('hello'))
  const before = running(pair)
  expect(before.length).toBe(2)
  await Promise.all([pools.close(), revisions.close()])
  await given.restart()
  connect()
  await eventually('the adopted one is known', async () => (await pools.getWorkerPool({ name }))[0].reconciling === false)
  expect(running(pair)).toEqual(before)
  const filters = ['--filter', `label=dev.devcloud.label.workerPool=${pair}`, '--filter', `label=dev.devcloud.project=${given.project}`]
  const sidecar = execFileSync('docker', ['ps', '-q', ...filters, '--filter', 'label=dev.devcloud.label.sidecar=yes'], { encoding: 'utf8' })
  execFileSync('docker', ['exec', sidecar.trim(), 'node', '-e', 'process.kill(1)'])
  await eventually('another instance, whole', () => {
    const now = running(pair).map(({ id }) => id)
    return now.length === 2 && now.every((id) => before.every((old) => old.id !== id))
  })
  const [update] = await pools.updateWorkerPool({
    workerPool: { name, template: { containers: [...(worker(forever).template?.containers ?? []), side('exit 3')] } },
  })
  await expect(update.promise()).rejects.toMatchObject({ message: expect.stringMatching(/exited (with code )?3/) })
  await eventually('what failed is gone, and the instance before goes on', () => running(pair).length === 2)
  const [deletion] = await pools.deleteWorkerPool({ name })
  await deletion.promise()
  expect(running(pair)).toEqual([])
})

test('workers go on under a new daemon, which starts no second ones; a deleted pool leaves nothing', async () => {
  const name = await create('lasting', worker(`echo up; ${forever}`))
  const before = running('lasting')
  await Promise.all([pools.close(), revisions.close()])
  await given.restart()
  connect()
  await eventually('the adopted one is known', async () => (await pools.getWorkerPool({ name }))[0].reconciling === false)
  execFileSync('docker', ['exec', before[0]?.id ?? '', 'sh', '-c', 'echo adopted > /proc/1/fd/1'])
  await eventually('its lines come again', () => linesOf('lasting').includes('adopted'))
  expect(running('lasting')).toEqual(before)
  expect(linesOf('lasting')).toEqual(['up', 'adopted'])
  const [deletion] = await pools.deleteWorkerPool({ name })
  await deletion.promise()
  expect(running('lasting')).toEqual([])
  await expect(pools.getWorkerPool({ name })).rejects.toMatchObject({ code: 5 })
})
