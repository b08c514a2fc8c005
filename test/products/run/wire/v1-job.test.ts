import { toJson } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { JobSchema, type Job } from '../../../../src/api/gen/google/cloud/run/v2/job_pb.ts'
import { readAnnotations, writeAnnotations, type Annotation } from '../../../../src/products/run/wire/v1-annotations.ts'
import { fromV1Job, toV1Job } from '../../../../src/products/run/wire/v1-job.ts'
import { jobSchema, readV1 } from '../../../../src/products/run/wire/v1-schema.ts'

const name = 'projects/p/locations/us-central1/jobs/nightly'
const place = { projectNumber: '123456789012', region: 'us-central1' }
const run = (word: string) => `run.googleapis.com/${word}`
const read = (body: unknown): Job => fromV1Job(readV1(jobSchema, body), name)

const body = {
  metadata: { name: 'nightly', annotations: { [run('client-name')]: 'gcloud', [run('launch-stage')]: 'BETA', mine: 'a' } },
  spec: {
    template: {
      metadata: {
        annotations: {
          [run('cloudsql-instances')]: 'p:r:a',
          [run('execution-environment')]: 'gen2',
          [run('secrets')]: 'key:projects/9/secrets/key',
          [run('vpc-access-egress')]: 'all-traffic',
          [run('client-name')]: 'gcloud',
          mine: 'b',
        },
      },
      spec: {
        taskCount: 3,
        template: {
          spec: {
            maxRetries: 0,
            timeoutSeconds: 60,
            containers: [{ image: 'i', env: [{ name: 'K', valueFrom: { secretKeyRef: { name: 'key', key: '2' } } }] }],
          },
        },
      },
    },
  },
}

test('a Job of version 1 is a job of version 2 in other words, and back', () => {
  const job = read(body)
  expect(toJson(JobSchema, job)).toMatchObject({
    annotations: { mine: 'a' },
    client: 'gcloud',
    launchStage: 'BETA',
    template: {
      annotations: { mine: 'b' },
      taskCount: 3,
      template: {
        executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2',
        maxRetries: 0,
        timeout: '60s',
        vpcAccess: { egress: 'ALL_TRAFFIC' },
        containers: [
          {
            env: [{ valueSource: { secretKeyRef: { secret: 'projects/9/secrets/key', version: '2' } } }],
            volumeMounts: [{ name: 'cloudsql' }],
          },
        ],
      },
    },
  })
  const again = read(toV1Job(job, place))
  expect(toJson(JobSchema, { ...again, etag: '' })).toEqual(toJson(JobSchema, { ...job, etag: '' }))
})

test('a task has its CPU always, and says nothing of it', () => {
  const told = JSON.stringify(
    toV1Job(read({ ...body, spec: { template: { spec: { template: { spec: { containers: [{ image: 'i' }] } } } } } }), place),
  )
  expect(told).not.toContain('cpu-throttling')
})

test('an annotation of Cloud Run that no table has is refused, the user’s own and empty ones are not', () => {
  const table: readonly Annotation<{ size: number }>[] = [
    { key: run('size'), read: (into, text) => (into.size = Number(text)), write: ({ size }) => (size === 0 ? '' : String(size)) },
    { key: run('passed') },
  ]
  const into = { size: 1 }
  readAnnotations(table, 'Job', { [run('size')]: '', [run('passed')]: 'x', mine: 'y' }, into)
  expect(into.size).toBe(1)
  readAnnotations(table, 'Job', { [run('size')]: '7' }, into)
  expect(writeAnnotations(table, into)).toEqual({ [run('size')]: '7' })
  expect(writeAnnotations(table, { size: 0 })).toEqual({})
  expect(() => readAnnotations(table, 'Job', { [run('other')]: '' }, into)).toThrow(
    "the annotation 'run.googleapis.com/other' on resources of kind 'Job'",
  )
})
