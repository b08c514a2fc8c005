import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenGcloud, type GivenGcloud } from '../products/run/given-gcloud.ts'
import { givenRun, type GivenRun } from '../products/run/given-run.ts'
import { hasTool } from './has-tool.ts'

/** Of gcloud 528, version 1 lists, describes and replaces; version 2 over gRPC deploys, updates, splits and deletes. */
describe.runIf(hasTool('gcloud'))('gcloud beta run worker-pools, led by devcloud env alone', { timeout: 600_000 }, () => {
  let run: GivenRun
  let gcloud: GivenGcloud
  beforeAll(async () => {
    run = await givenRun()
    gcloud = await givenGcloud(run)
  }, 120_000)
  afterAll(async () => {
    gcloud[Symbol.dispose]()
    await run[Symbol.asyncDispose]()
  })
  const pools = (...args: readonly string[]) => gcloud.stdoutOf('beta', 'run', 'worker-pools', ...args)
  const forever = ['--command=node', '--args=^@^-e@process.on("SIGTERM", () => process.exit()); setInterval(() => {}, 1e6)']
  const revisionsOf = async (pool: string) =>
    (await pools('revisions', 'list', `--worker-pool=${pool}`, '--format=value(metadata.name)')).split('\n')

  test('deploys a pool, describes and lists it, updates it, moves instances and deletes it', async () => {
    const deployed = await gcloud.run('beta', 'run', 'worker-pools', 'deploy', 'pool', `--image=${run.image}`, ...forever)
    expect(deployed, deployed.stderr).toMatchObject({ code: 0 })
    expect(deployed.stderr).toMatch(/Worker pool \[pool\] revision \[pool-00001-\w{3}\] has been deployed/)
    const told = JSON.parse(await pools('describe', 'pool', '--format=json'))
    expect(told).toMatchObject({
      kind: 'WorkerPool',
      metadata: { name: 'pool', generation: 1, annotations: { 'run.googleapis.com/manualInstanceCount': '1' } },
      spec: { template: { spec: { containers: [{ image: run.image, command: ['node'] }] } } },
      status: { instanceSplits: [{ latestRevision: true, percent: 100 }], conditions: [{ type: 'Ready', status: 'True' }, {}] },
    })
    const words = await pools('describe', 'pool')
    expect(words).toContain('WorkerPool pool in region us-central1')
    expect(words).toContain('Manual (Instances: 1)')
    expect(await pools('list', '--format=value(metadata.name,region)')).toBe('pool\tus-central1')
    expect(await pools('list', '--region=us-central1', '--format=value(metadata.name)')).toBe('pool')

    await pools('update', 'pool', '--update-env-vars=A=2', '--scaling=2')
    const revisions = await revisionsOf('pool')
    expect(revisions.map((id) => id.slice(0, 10)).toSorted()).toEqual(['pool-00001', 'pool-00002'])
    const [first = '', second = ''] = revisions.toSorted()
    expect(await pools('revisions', 'describe', second, '--format=value(spec.containers[0].env[0].value)')).toBe('2')
    expect(await gcloud.stdoutOf('run', 'revisions', 'list', '--format=value(metadata.name)')).toBe('')
    await pools('update-instance-split', 'pool', `--to-revisions=${first}=100`)
    expect(await pools('describe', 'pool', '--format=value(status.instanceSplits[0].revisionName)')).toBe(first)
    await pools('delete', 'pool')
    const gone = await gcloud.run('beta', 'run', 'worker-pools', 'describe', 'pool')
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot find worker pool [pool]') })
  })

  test('a pool from a file is made, exported, and replaced without a new revision until it changes', async () => {
    const yaml = (count: number, value: string) => `apiVersion: run.googleapis.com/v1
kind: WorkerPool
metadata:
  name: filed
  labels: {team: x}
  annotations: {run.googleapis.com/scalingMode: manual, run.googleapis.com/manualInstanceCount: '${count}'}
spec:
  template:
    spec:
      containers:
      - {image: '${run.image}', command: [node], args: [-e, 'process.on("SIGTERM", () => process.exit()); setInterval(() => {}, 1e6)'], env: [{name: A, value: '${value}'}]}
`
    const replace = async (text: string) => {
      writeFileSync(join(gcloud.directory, 'pool.yaml'), text)
      return pools('replace', 'pool.yaml')
    }
    await replace(yaml(1, 'a'))
    expect(await pools('describe', 'filed', '--format=value(metadata.labels.team)')).toBe('x')
    const exported = await pools('describe', 'filed', '--format=export')
    await replace(exported)
    expect(await pools('describe', 'filed', '--format=export')).toBe(exported)
    await replace(yaml(0, 'a'))
    expect(await revisionsOf('filed')).toHaveLength(1)
    await replace(yaml(0, 'b'))
    expect(await revisionsOf('filed')).toHaveLength(2)
    const auto = yaml(0, 'b').replace('scalingMode: manual', 'scalingMode: automatic')
    writeFileSync(join(gcloud.directory, 'pool.yaml'), auto)
    const refused = await gcloud.run('alpha', 'run', 'worker-pools', 'replace', 'pool.yaml')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('automatic scaling of worker pools') })
  })

  test('a deployment that fails exits 1 with the words of the container', async () => {
    const script = ['--command=node', '--args=^@^-e@process.exit(3)']
    const failed = await gcloud.run('beta', 'run', 'worker-pools', 'deploy', 'bad', `--image=${run.image}`, ...script)
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('exited with code 3')
  })
})
