import { expect, test } from 'vitest'
import { faultOf, problemsOf, projectFolder } from '../../../config/project-folder.ts'
import { newPlanText, readWanted } from '../../../config/read-wanted.ts'

const dockerfile = 'FROM scratch\nCMD ["/app"]\n'

async function jobsOf(files: Readonly<Record<string, string>>) {
  await using folder = await projectFolder(files)
  return await readWanted(folder.path)
}

test('a job runs the image of the only service, with the defaults of Cloud Run', async () => {
  const { services, jobs } = await jobsOf({ Dockerfile: dockerfile, 'devcloud.yaml': 'jobs: { nightly: { command: [node, nightly.js] } }' })
  expect(services.map(({ id }) => id)).toEqual(['guestbook'])
  expect(jobs).toEqual([
    {
      id: 'nightly',
      from: { file: 'devcloud.yaml', line: 1, column: 9 },
      service: 'guestbook',
      command: ['node', 'nightly.js'],
      env: {},
      cpus: 1,
      memoryBytes: 512 * 2 ** 20,
      cloudSqlInstances: [],
      secretVolumes: [],
      tasks: 1,
      parallelism: 0,
      maxRetries: 3,
      timeoutSeconds: 600,
    },
  ])
})

const knative = (image: string) => `apiVersion: run.googleapis.com/v1
kind: Job
metadata: { name: nightly, namespace: shop-42, labels: { cloud.googleapis.com/location: europe-west1 } }
spec:
  template:
    metadata: { annotations: { run.googleapis.com/execution-environment: gen2 } }
    spec:
      taskCount: 4
      parallelism: 2
      template:
        spec:
          containers:
            - image: ${image}
              args: [--all]
              env: [{ name: A, value: b }, { name: KEY, valueFrom: { secretKeyRef: { name: key, key: latest } } }]
              resources: { limits: { cpu: 2000m, memory: 1Gi } }
          maxRetries: 1
          timeoutSeconds: '900'
          serviceAccountName: me@x.iam.gserviceaccount.com
`

test('a job.yaml as gcloud run jobs replace takes it is read whole, and devcloud.yaml goes before it', async () => {
  const { project, region, jobs, services } = await jobsOf({
    'job.yaml': knative('europe-docker.pkg.dev/shop/batch'),
    'devcloud.yaml': 'services: {}\njobs: { nightly: { tasks: 7, schedule: "0 3 * * *", env: { A: c } } }',
  })
  expect([project, region, services]).toEqual(['shop-42', 'europe-west1', []])
  expect(jobs).toMatchObject([
    {
      image: 'europe-docker.pkg.dev/shop/batch',
      args: ['--all'],
      env: { A: { value: 'c' }, KEY: { secret: 'key', version: 'latest' } },
      cpus: 2,
      memoryBytes: 2 ** 30,
      tasks: 7,
      parallelism: 2,
      maxRetries: 1,
      timeoutSeconds: 900,
      serviceAccount: 'me@x.iam.gserviceaccount.com',
      schedule: { cron: '0 3 * * *', timeZone: 'UTC' },
    },
  ])
})

test('a job of the same image as a service runs what is built for the service; alone, the folder is built for it and is no service', async () => {
  const service = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: web }
spec: { template: { spec: { containers: [{ image: gcr.io/shop/web }] } } }
`
  const shared = await jobsOf({ Dockerfile: dockerfile, 'service.yaml': `${service}---\n${knative('gcr.io/shop/web')}` })
  expect(shared.jobs).toMatchObject([{ id: 'nightly', service: 'web' }])
  const other = await jobsOf({ Dockerfile: dockerfile, 'service.yaml': service, 'job.yaml': knative('gcr.io/shop/other') })
  expect(other.jobs).toMatchObject([{ image: 'gcr.io/shop/other' }])
  const alone = await jobsOf({ Dockerfile: dockerfile, 'job.yaml': knative('gcr.io/shop/web') })
  expect(alone.services).toEqual([])
  expect(alone.jobs).toMatchObject([{ source: { dockerfile: 'Dockerfile' } }])
})

test("Kubernetes' own Job is let be", async () => {
  const { jobs } = await jobsOf({ Dockerfile: dockerfile, 'job.yaml': 'apiVersion: batch/v1\nkind: Job\nmetadata: { name: x }\n' })
  expect(jobs).toEqual([])
})

test('what is wrong with a job is told with its place', async () => {
  const lines = await problemsOf(`jobs:
  Bad: {}
  a: { service: guestbok }
  b: { image: x, dir: . }
  c: { schedule: every day }
  d: { schedule: { cron: "* * * * * *" } }
  e: { schedule: { cron: "0 3 * * *", timeZone: Europe/Bern } }
  f: { tasks: 10001, maxRetries: 11 }
  g: { port: 8080 }
  h: { env: { CLOUD_RUN_JOB: x } }
`)
  expect(lines.map((line) => line.replace(/ +/g, ' '))).toEqual([
    'devcloud.yaml:2:3 "Bad" cannot be a name here; write at most 63 of a-z, 0-9 and -, with a letter first',
    'devcloud.yaml:3:17 there is no service "guestbok"; write guestbook',
    'devcloud.yaml:4:15 an image is here beside a folder to build; write one of them',
    'devcloud.yaml:5:18 "every day" does not fit; write five fields of cron, such as "0 3 * * *"',
    'devcloud.yaml:6:26 "* * * * * *" does not fit; write five fields of cron, such as "0 3 * * *"',
    'devcloud.yaml:7:49 "Europe/Bern" does not fit; write a time zone, such as Europe/Berlin',
    'devcloud.yaml:8:15 "10001" does not fit; write a whole number from 1 to 10000',
    'devcloud.yaml:8:34 "11" does not fit; write a whole number from 0 to 10',
    expect.stringMatching(/^devcloud\.yaml:9:8 unknown key "port"; known here: service, dir/),
    'devcloud.yaml:10:15 "CLOUD_RUN_JOB" cannot be a name here; write another name: Cloud Run sets this one itself',
  ])
  const two = await faultOf({ 'devcloud.yaml': 'services: { a: { image: x }, b: { image: y } }\njobs: { c: {} }' })
  expect(two.evidence).toEqual(['devcloud.yaml:2:9  the job "c" has several services to take its image of; write "service: a" for it'])
})

test('the plan tells of jobs with their schedules, and prints no value', async () => {
  const wanted = await jobsOf({
    Dockerfile: dockerfile,
    'devcloud.yaml': `jobs:
  nightly:
    command: [node, nightly.js]
    env: { A: hidden }
    tasks: 3
    parallelism: 2
    schedule: { cron: 0 3 * * *, timeZone: Europe/Berlin }
`,
  })
  const lines = newPlanText(wanted).replaceAll(/ {2,}/g, '  ').split('\n')
  expect(lines.slice(2)).toEqual([
    'job nightly  image of service guestbook · 3 tasks · 2 at a time · 1 CPU · 512Mi · 3 retries · 600s  devcloud.yaml:2',
    '  command  node nightly.js',
    '  env A  a value',
    '  schedule  0 3 * * * · Europe/Berlin',
    '',
  ])
})
