import { expect, test } from 'vitest'
import { wantedBodies } from '../../../../src/products/run/project/bodies.ts'
import { composeNotes, versionNotes } from '../../../../src/products/sql/plan.ts'
import { projectFolder } from '../../../config/project-folder.ts'
import { newPlanText, readWanted } from '../../../config/read-wanted.ts'

const run = 'run.googleapis.com'
const service = (parts: {
  readonly annotations?: string
  readonly template?: string
  readonly spec?: string
  readonly container?: string
}) =>
  `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: web
  labels: { team: blue, cloud.googleapis.com/location: us-central1 }
  annotations: { ${run}/client-name: gcloud${parts.annotations ?? ''} }
spec:
  template:
    metadata:
      annotations: { autoscaling.knative.dev/maxScale: '3'${parts.template ?? ''} }
    spec:
      containers:
        - image: us-docker.pkg.dev/p/r/web:1
          ports: [{ containerPort: 8080 }]
${parts.container ?? ''}${parts.spec ?? ''}`

const read = async (files: Readonly<Record<string, string>>) => {
  await using folder = await projectFolder(files)
  const wanted = await readWanted(folder.path)
  return { wanted, bodies: wantedBodies(wanted) }
}
const problemsOf = async (files: Readonly<Record<string, string>>) =>
  read(files).then(
    () => undefined,
    (error: { readonly fault?: string; readonly evidence?: readonly string[] }) => error,
  )

test('a service.yaml without anything that is not had gives no note, and its labels are sent', async () => {
  const { wanted, bodies } = await read({ 'service.yaml': service({}) })
  expect(bodies.notes).toEqual([])
  const [web] = wanted.services
  expect(web && bodies.service(web, 'built:1')).toMatchObject({
    labels: { team: 'blue' },
    template: { containers: [{ image: 'built:1' }] },
  })
})

test('what is stored without effect, and what up does not apply, is noted; the plan says it', async () => {
  const { wanted, bodies } = await read({
    'service.yaml': service({
      annotations: `, ${run}/ingress: internal, ${run}/binary-authorization: default`,
      template: `, ${run}/vpc-access-connector: c, ${run}/encryption-key: k`,
      container: '          workingDir: /srv\n',
      spec: '  traffic: [{ revisionName: web-1, percent: 100 }]\n',
    }),
    'devcloud.yaml': 'instances: { main: { version: POSTGRES_13 } }\n',
  })
  expect(bodies.notes.map(({ resource, text }) => `${resource}: ${text.split(/[;(]/)[0]?.trim()}`)).toEqual([
    'service web: stored and not acted upon: VPC access',
    'service web: stored and not acted upon: the encryption key: images are not encrypted',
    'service web: stored and not acted upon: binary authorization: every image may run',
    'service web: not applied by up: ingress, so that the browser of this machine gets in',
    'service web: not applied by up: traffic: the new revision takes all',
    'service web: not applied by up: template.containers[].workingDir',
  ])
  const [web] = wanted.services
  expect(web && bodies.service(web, 'i')).toMatchObject({ template: { vpcAccess: { connector: 'c' }, encryptionKey: 'k' } })
  const plan = newPlanText(wanted, [...bodies.notes, ...versionNotes(wanted)])
  expect(plan).toContain('note service web  not applied by up: template.containers[].workingDir\n')
  expect(plan).toMatch(/note sql main {2}runs as PostgreSQL 18 where Docker or its image postgres:13 is not at hand\n$/)
})

test('a compose file that is not followed on the process engine is noted', async () => {
  const { wanted } = await read({ Dockerfile: 'FROM scratch\n', 'devcloud.yaml': 'instances: { main: }\n' })
  expect(composeNotes(wanted, 'process', true).map(({ text }) => text)).toEqual([
    expect.stringContaining('compose/postgres.yaml is not applied'),
  ])
  expect([...composeNotes(wanted, 'docker', true), ...composeNotes(wanted, 'process', false)]).toEqual([])
})

test.each([
  ['GPUs', service({ spec: `      nodeSelector: { ${run}/accelerator: nvidia-l4 }\n` }), 'service.yaml:4:', 'GPUs'],
  ['IAP', service({ annotations: `, ${run}/iap-enabled: 'true'` }), 'service.yaml:4:', 'Identity-Aware Proxy'],
  ['an unknown annotation', service({ annotations: `, ${run}/no-such: x` }), 'service.yaml:6:1 ', `the annotation '${run}/no-such'`],
  ['a field of Kubernetes', service({ container: '          lifecycle: {}\n' }), 'service.yaml:15:1 ', 'Unknown name "lifecycle"'],
  [
    'an environment that is none',
    service({ template: `, ${run}/execution-environment: gen3` }),
    'service.yaml:10:1 ',
    '"gen3" is not one of',
  ],
])('%s in service.yaml is refused with its place before anything is made', async (_what, yaml, place, words) => {
  const told = await problemsOf({ 'service.yaml': yaml })
  expect(told).toMatchObject({ fault: 'CONFIG_INVALID' })
  expect(told?.evidence).toEqual([expect.stringContaining(words)])
  expect(told?.evidence?.[0]?.startsWith(place), told?.evidence?.[0]).toBe(true)
})

test("what devcloud.yaml says is judged by the API's rules too, and a job.yaml", async () => {
  const cpu = await problemsOf({ Dockerfile: 'FROM scratch\n', 'devcloud.yaml': 'services: { web: { cpu: 0.5, concurrency: 10 } }\n' })
  expect(cpu?.evidence).toEqual([
    expect.stringMatching(/^devcloud\.yaml:1:\d+ {2}service web: .*Total cpu < 1 is not supported with concurrency > 1/),
  ])
  const job = `apiVersion: ${run}/v1
kind: Job
metadata: { name: task, annotations: { ${run}/no-such: x } }
spec: { template: { spec: { template: { spec: { containers: [{ image: i }] } } } } }
`
  const told = await problemsOf({ 'job.yaml': job })
  expect(told?.evidence).toEqual([
    expect.stringContaining(`job.yaml:3:1  job task: devcloud does not emulate the annotation '${run}/no-such'`),
  ])
})
