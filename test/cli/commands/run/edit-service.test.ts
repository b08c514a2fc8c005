import { expect, test } from 'vitest'
import { editService, scopeFlags } from '../../../../src/cli/commands/run/edit-service.ts'
import type { Given } from '../../../../src/cli/commands/run/flag-values.ts'
import type { ServiceJson, TemplateJson } from '../../../../src/cli/commands/run/run-json.ts'

/** `--a=b`, `--a`, `--no-a` as the command line gives them. */
function flags(...words: readonly string[]): readonly Given[] {
  return words.map((word) => {
    const [, flag = '', value] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(word) ?? []
    if (value === undefined && flag.startsWith('no-')) return { flag: flag.slice(3), value: 'false' }
    return { flag, value: value ?? 'true' }
  })
}

function edit(service: ServiceJson, ...words: readonly string[]): ServiceJson {
  const copy = structuredClone(service)
  editService(copy, scopeFlags(flags(...words)), (id) => `shop:us-central1:${id}`)
  return copy
}

const fresh: ServiceJson = { template: { containers: [] } }
const web: ServiceJson = {
  template: {
    containers: [
      {
        image: 'web:1',
        env: [
          { name: 'A', value: '1' },
          { name: 'KEY', valueSource: { secretKeyRef: { secret: 'key', version: '1' } } },
        ],
        ports: [{ name: 'http1', containerPort: 8080 }],
        resources: { limits: { cpu: '1000m', memory: '512Mi' }, cpuIdle: true },
      },
    ],
  },
}
const container = (service: ServiceJson, index = 0) => service.template.containers[index] ?? {}
const env = (service: ServiceJson) => container(service).env?.map(({ name, value, valueSource }) => `${name}=${value ?? `${valueSource?.secretKeyRef.secret}:${valueSource?.secretKeyRef.version}`}`) // prettier-ignore

test('an image makes a service: CPU while requests are in flight, more of it at the start', () => {
  expect(edit(fresh, '--image=web:1').template.containers).toEqual([
    { image: 'web:1', resources: { cpuIdle: true, startupCpuBoost: true } },
  ])
})

test('variables are set, updated, removed and cleared; secrets stay', () => {
  expect(env(edit(web, '--update-env-vars=B=2,A=x=y'))).toEqual(['A=x=y', 'KEY=key:1', 'B=2'])
  expect(env(edit(web, '--set-env-vars=^;^B=2,3;C='))).toEqual(['KEY=key:1', 'B=2,3', 'C='])
  expect(env(edit(web, '--update-env-vars=A=2', '--remove-env-vars=A'))).toEqual(['KEY=key:1', 'A=2'])
  expect(env(edit(web, '--clear-env-vars'))).toEqual(['KEY=key:1'])
  expect(env(edit(web, '--set-env-vars=X=1', '--set-env-vars=Y=2'))).toEqual(['KEY=key:1', 'X=1', 'Y=2'])
  expect(() => edit(web, '--update-env-vars=KEY=1')).toThrow(
    '[KEY] to string literal because it has already been set with a different type',
  )
  expect(() => edit(web, '--set-env-vars=X=1', '--clear-env-vars')).toThrow('At most one of --set-env-vars | --clear-env-vars')
  expect(() => edit(web, '--set-env-vars=X')).toThrow('Bad syntax for dict arg: [X]')
})

test('a secret becomes a variable, or a file of a volume; files of one folder share it', () => {
  const service = edit(web, '--update-secrets=/etc/app/one=settings:latest,/etc/app/two=settings:2,TOKEN=projects/9/secrets/token:3')
  expect(env(service)).toEqual(['A=1', 'KEY=key:1', 'TOKEN=projects/9/secrets/token:3'])
  expect(container(service).volumeMounts).toEqual([{ name: 'settings', mountPath: '/etc/app' }])
  const items = [
    { path: 'one', version: 'latest' },
    { path: 'two', version: '2' },
  ]
  expect(service.template.volumes).toEqual([{ name: 'settings', secret: { secret: 'settings', items } }])

  expect(edit(service, '--remove-secrets=/etc/app/one').template.volumes?.[0]?.secret?.items).toEqual(items.slice(1))
  const without = edit(service, '--remove-secrets=/etc/app/one,/etc/app/two,TOKEN')
  expect(without.template.volumes).toEqual([])
  expect(container(without).volumeMounts).toEqual([])
  expect(env(edit(service, '--clear-secrets'))).toEqual(['A=1'])
  expect(edit(service, '--set-secrets=NEW=x:1').template.volumes).toEqual([])
  expect(() => edit(service, '--update-secrets=/etc/app/three=other:1')).toThrow('a different secret is already mounted')
  expect(() => edit(web, '--update-secrets=A=x:1')).toThrow('[A] to the given type')
  expect(() => edit(web, '--set-secrets=X=key')).toThrow('No secret version specified for X')
})

test('Cloud SQL instances are one volume under /cloudsql of every container', () => {
  const service = edit(web, '--add-cloudsql-instances=main,other:europe-west1:db')
  expect(service.template.volumes).toEqual([
    { name: 'cloudsql', cloudSqlInstance: { instances: ['shop:us-central1:main', 'other:europe-west1:db'] } },
  ])
  expect(container(service).volumeMounts).toEqual([{ name: 'cloudsql', mountPath: '/cloudsql' }])
  expect(edit(service, '--remove-cloudsql-instances=main').template.volumes?.[0]?.cloudSqlInstance?.instances).toEqual([
    'other:europe-west1:db',
  ])
  const cleared = edit(service, '--clear-cloudsql-instances')
  expect([cleared.template.volumes, container(cleared).volumeMounts]).toEqual([[], []])
})

test('volumes are added with mounts, and go with their mounts', () => {
  const service = edit(
    web,
    '--add-volume=name=media,type=cloud-storage,bucket=pictures,readonly=true',
    '--add-volume=name=tmp,type=in-memory,size-limit=64Mi',
    '--add-volume=name=share,type=nfs,location=10.0.0.2:/data',
    '--add-volume-mount=volume=media,mount-path=/media',
    '--add-volume-mount=volume=tmp,mount-path=/scratch',
  )
  expect(service.template.volumes).toEqual([
    { name: 'media', gcs: { bucket: 'pictures', readOnly: true } },
    { name: 'tmp', emptyDir: { medium: 'MEMORY', sizeLimit: '64Mi' } },
    { name: 'share', nfs: { server: '10.0.0.2', path: '/data' } },
  ])
  expect(container(edit(service, '--remove-volume=media')).volumeMounts).toEqual([{ name: 'tmp', mountPath: '/scratch' }])
  expect(container(edit(service, '--remove-volume-mount=/scratch')).volumeMounts).toEqual([{ name: 'media', mountPath: '/media' }])
  expect(edit(service, '--clear-volumes').template.volumes).toEqual([])
  expect(() => edit(web, '--add-volume=name=x,type=floppy')).toThrow('Volume type [floppy] not supported')
  expect(() => edit(web, '--add-volume=name=x,type=cloud-storage')).toThrow('must have the key bucket')
})

test('flags after --container are about that container, made when there is none', () => {
  const words = ['--service-account=a@b', '--container=app', '--image=app:1', '--port=9000', '--depends-on=db', '--container=db', '--image=db:1', '--cpu=0.5'] // prettier-ignore
  const service = edit(fresh, ...words)
  expect(service.template).toMatchObject({
    serviceAccount: 'a@b',
    containers: [
      { name: 'app', image: 'app:1', ports: [{ name: 'http1', containerPort: 9000 }], dependsOn: ['db'] },
      { name: 'db', image: 'db:1', resources: { limits: { cpu: '0.5' }, cpuIdle: true } },
    ],
  })
  expect(edit(service, '--remove-containers=db').template.containers).toHaveLength(1)
  expect(() => edit(fresh, '--container=app', '--timeout=5')).toThrow('--timeout is not about a container and must be specified before')
  expect(() => edit(fresh, '--image=x', '--container=app', '--image=y')).toThrow('--image must be specified after --container')
})

test.each<readonly [words: readonly string[], template: Partial<TemplateJson>]>([
  [['--timeout=10m5s'], { timeout: '605s' }],
  [['--timeout=30'], { timeout: '30s' }],
  [['--concurrency=5'], { maxInstanceRequestConcurrency: 5 }],
  [['--min-instances=1', '--max-instances=3'], { scaling: { minInstanceCount: 1, maxInstanceCount: 3 } }],
  [['--execution-environment=gen2'], { executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2' }],
  [['--session-affinity'], { sessionAffinity: true }],
  [['--no-deploy-health-check'], { healthCheckDisabled: true }],
  [['--labels=a=b'], { labels: { a: 'b' } }],
])('%s is of the template', (words, template) => {
  expect(edit(web, ...words).template).toMatchObject(template)
})

test.each<readonly [words: readonly string[], service: object]>([
  [['--min=1', '--max=4'], { scaling: { minInstanceCount: 1, maxInstanceCount: 4 } }],
  [['--scaling=3'], { scaling: { scalingMode: 'MANUAL', manualInstanceCount: 3 } }],
  [['--ingress=internal'], { ingress: 'INGRESS_TRAFFIC_INTERNAL_ONLY' }],
  [['--no-invoker-iam-check'], { invokerIamDisabled: true }],
  [['--set-custom-audiences=https://a,https://b'], { customAudiences: ['https://a', 'https://b'] }],
  [['--description=For people'], { description: 'For people' }],
])('%s is of the service', (words, service) => {
  expect(edit(web, ...words)).toMatchObject(service)
})

test.each<readonly [words: readonly string[], container: object]>([
  [['--command=npm,start'], { command: ['npm', 'start'], args: [] }],
  [['--args=-c,print(1)'], { args: ['-c', 'print(1)'] }],
  [['--args='], { args: [] }],
  [['--port=9000'], { ports: [{ name: 'http1', containerPort: 9000 }] }],
  [['--use-http2'], { ports: [{ name: 'h2c', containerPort: 8080 }] }],
  [['--memory=1Gi'], { resources: { limits: { cpu: '1000m', memory: '1Gi' }, cpuIdle: true } }],
  [['--no-cpu-throttling', '--cpu-boost'], { resources: { cpuIdle: false, startupCpuBoost: true } }],
  [
    ['--startup-probe=httpGet.path=/up,httpGet.port=8080,periodSeconds=5'],
    { startupProbe: { httpGet: { path: '/up', port: 8080 }, periodSeconds: 5 } },
  ],
  [['--liveness-probe=grpc.port=9,grpc.service=x'], { livenessProbe: { grpc: { port: 9, service: 'x' } } }],
])('%s is of the container', (words, expected) => {
  expect(container(edit(web, ...words))).toMatchObject(expected)
})

test('default takes a setting away', () => {
  const service = edit(web, '--concurrency=5', '--max-instances=3', '--max=4')
  expect(edit(service, '--concurrency=default').template.maxInstanceRequestConcurrency).toBeUndefined()
  expect(edit(service, '--max-instances=default').template.scaling).toEqual({})
  expect(edit(service, '--max=default').scaling).toEqual({})
  expect(container(edit(web, '--startup-probe=tcpSocket.port=1', '--startup-probe=')).startupProbe).toBeUndefined()
})

test.each([
  [['--concurrency=0'], '"0" is not a whole number from 1 to 1000'],
  [['--timeout=soon'], '"soon" is not a duration'],
  [['--ingress=some'], "Invalid choice: 'some'"],
  [['--memory=lots'], '"lots" is not an amount of memory'],
  [['--cpu=two'], '"two" is not an amount of CPU'],
  [['--port=70000'], '"70000" is not a whole number from 1 to 65535'],
  [['--startup-probe=port=1'], '"port" is no field of a probe'],
  [['--liveness-probe=periodSeconds=1'], 'a probe is one of httpGet, tcpSocket and grpc'],
  [['--clear-labels', '--remove-labels=a'], 'At most one of'],
])('%s is refused', (words, message) => {
  expect(() => edit(web, ...words)).toThrow(message)
  expect(() => edit(web, ...words)).toThrow(expect.objectContaining({ fault: 'USAGE' }))
})

test('a port that nobody names is left to the product', () => {
  const service: ServiceJson = { template: { containers: [] } }
  const given: Given[] = [
    { flag: 'image', value: 'i' },
    { flag: 'use-http2', value: 'true' },
  ]
  editService(service, scopeFlags(given), (id) => id)
  expect(service.template.containers[0]?.ports).toEqual([{ name: 'h2c' }])
})
