import { expect, test } from 'vitest'
import { faultOf, projectFolder } from '../../../config/project-folder.ts'
import { readWanted } from '../../../config/read-wanted.ts'

/** As `gcloud run services describe --format export` writes it. */
const exported = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: web
  namespace: '123456789'
  labels:
    cloud.googleapis.com/location: europe-west1
  annotations:
    run.googleapis.com/ingress: all
spec:
  template:
    metadata:
      labels:
        run.googleapis.com/startupProbeType: Default
      annotations:
        autoscaling.knative.dev/minScale: '1'
        autoscaling.knative.dev/maxScale: '20'
        run.googleapis.com/cloudsql-instances: shop-42:europe-west1:main,shop-42:europe-west1:other
        run.googleapis.com/secrets: theirs:projects/99/secrets/api-key
        run.googleapis.com/startup-cpu-boost: 'true'
    spec:
      containerConcurrency: 40
      timeoutSeconds: 60
      serviceAccountName: web@shop-42.iam.gserviceaccount.com
      containers:
        - image: europe-docker.pkg.dev/shop-42/web/web:abc
          command: [/app/web]
          args: ['--verbose']
          ports:
            - name: http1
              containerPort: 3000
          env:
            - name: PLAIN
              value: '1'
            - name: EMPTY
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: db-password
                  key: latest
            - name: API_KEY
              valueFrom:
                secretKeyRef:
                  name: theirs
                  key: '2'
          resources:
            limits:
              cpu: 1000m
              memory: 1Gi
          startupProbe:
            timeoutSeconds: 240
            tcpSocket:
              port: 3000
          volumeMounts:
            - name: keys
              mountPath: /secrets
            - name: whole
              mountPath: /whole
      volumes:
        - name: keys
          secret:
            secretName: db-password
            items:
              - key: '1'
                path: old/password
              - key: latest
                path: password
        - name: whole
          secret:
            secretName: token
  traffic:
    - percent: 100
      latestRevision: true
`
const instances = 'instances: { main: , other: }\n'

test('a service.yaml as Cloud Run exports it is a wanted service', async () => {
  await using folder = await projectFolder({ 'service.yaml': exported, 'devcloud.yaml': instances })
  const { project, region, services } = await readWanted(folder.path)
  expect([project, region]).toEqual(['shop-42', 'europe-west1'])
  expect(services).toEqual([
    {
      id: 'web',
      manifest: { file: 'service.yaml', value: expect.anything(), text: expect.any(String) },
      from: { file: 'service.yaml', line: 4, column: 9 },
      image: 'europe-docker.pkg.dev/shop-42/web/web:abc',
      command: ['/app/web'],
      args: ['--verbose'],
      env: {
        PLAIN: { value: '1' },
        EMPTY: { value: '' },
        DB_PASSWORD: { secret: 'db-password', version: 'latest' },
        API_KEY: { secret: 'api-key', version: '2' },
      },
      port: 3000,
      protocol: 'http1',
      startupCpuBoost: true,
      cpus: 1,
      memoryBytes: 2 ** 30,
      concurrency: 40,
      minInstances: 1,
      maxInstances: 20,
      timeoutSeconds: 60,
      cloudSqlInstances: ['shop-42:europe-west1:main', 'shop-42:europe-west1:other'],
      probes: { startupProbe: { tcpSocket: { port: 3000 }, timeoutSeconds: 240 } },
      secretVolumes: [
        {
          mountPath: '/secrets',
          secret: 'db-password',
          items: [
            { path: 'old/password', version: '1' },
            { path: 'password', version: 'latest' },
          ],
        },
        { mountPath: '/whole', secret: 'token', items: [{ path: 'token', version: 'latest' }] },
      ],
      serviceAccount: 'web@shop-42.iam.gserviceaccount.com',
      invoker: 'all',
      before: [],
    },
  ])
})

test('what service.yaml says of protocol, CPU and sessions is wanted', async () => {
  const text = exported
    .replace('name: http1', 'name: h2c')
    .replace("startup-cpu-boost: 'true'", "cpu-throttling: 'false'\n        run.googleapis.com/sessionAffinity: 'true'")
  await using folder = await projectFolder({ 'service.yaml': text, 'devcloud.yaml': instances })
  const { services } = await readWanted(folder.path)
  expect(services[0]).toMatchObject({ protocol: 'h2c', cpuIdle: false, sessionAffinity: true })
  expect(services[0]).not.toHaveProperty('startupCpuBoost')
})

test('a Dockerfile beside service.yaml is built instead of the image that it names', async () => {
  await using folder = await projectFolder({ 'service.yaml': exported, 'devcloud.yaml': instances, Dockerfile: 'FROM scratch\n' })
  const { services } = await readWanted(folder.path)
  expect(services[0]).toMatchObject({ id: 'web', source: { directory: folder.path, dockerfile: 'Dockerfile' } })
  expect(services[0]).not.toHaveProperty('image')
})

test('devcloud.yaml goes before service.yaml, key by key', async () => {
  await using folder = await projectFolder({
    'service.yaml': exported,
    'devcloud.yaml': `${instances}services: { web: { env: { PLAIN: "2", MORE: "3" }, memory: 2Gi, before: [./migrate] } }\n`,
    Dockerfile: 'FROM scratch\n',
  })
  const { services } = await readWanted(folder.path)
  expect(services).toHaveLength(1)
  expect(services[0]).toMatchObject({
    port: 3000,
    memoryBytes: 2 ** 31,
    before: [['sh', '-c', './migrate']],
    from: { file: 'devcloud.yaml' },
  })
  expect(services[0]?.env).toMatchObject({ PLAIN: { value: '2' }, MORE: { value: '3' }, EMPTY: { value: '' } })
})

test('a namespace that is a project id names the project', async () => {
  const small = minimal('web', 'image: a').replace('name: web', 'name: web, namespace: shop-prod')
  await using folder = await projectFolder({ 'service.yaml': small })
  expect((await readWanted(folder.path)).project).toBe('shop-prod')
})

test('several documents are several services, each with its own image', async () => {
  await using folder = await projectFolder({
    'service.yaml': `${minimal('web', 'image: a')}---\n${minimal('worker', 'image: b')}---\napiVersion: v1\nkind: Service\n`,
    Dockerfile: 'FROM scratch\n',
  })
  const { services } = await readWanted(folder.path)
  expect(services.map(({ id, image }) => [id, image])).toEqual([
    ['web', 'a'],
    ['worker', 'b'],
  ])
})

test('a folder that devcloud.yaml names is read for its own service.yaml', async () => {
  await using folder = await projectFolder({
    'api/service.yaml': minimal('api', 'image: a'),
    'api/Procfile': 'web: ./api\n',
    'devcloud.yaml': 'services: { api: { dir: api, port: 9000 } }\n',
  })
  const { services } = await readWanted(folder.path)
  expect(services).toHaveLength(1)
  expect(services[0]).toMatchObject({ port: 9000, source: { command: ['sh', '-c', './api'] } })
})

test("Kubernetes' own Service is let be", async () => {
  const fault = await faultOf({ 'service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: Web_1 }\n' })
  expect(fault.fault).toBe('NO_SERVICE')
})

test.each([
  [
    'the same service twice',
    `${minimal('web', 'image: a')}---\n${minimal('web', 'image: a')}`,
    'service.yaml:12:19  the service "web" is in service.yaml:3 already; write another name',
  ],
  [
    'two containers without a port',
    minimal('web', 'image: a\n        - image: b\n          name: b'),
    'service.yaml:8:9  beside sidecars exactly one container has ports; write ports for the one that serves',
  ],
  [
    'an order that is no JSON',
    minimal('web', 'image: a').replace(
      '  template:',
      '  template:\n    metadata: { annotations: { run.googleapis.com/container-dependencies: "{" } }',
    ),
    'service.yaml:6:75  "{" does not fit; write JSON such as {"proxy":["app"]}',
  ],
  [
    'another protocol',
    minimal('web', 'image: a\n          ports: [{ name: h3, containerPort: 80 }]'),
    'service.yaml:9:27  "h3" does not fit; write http1 or h2c',
  ],
  [
    'a number as a variable',
    minimal('web', 'image: a\n          env: [{ name: A, value: 1 }]'),
    'service.yaml:9:35  here is a number; write it in quotes',
  ],
  [
    'a volume of another kind',
    minimal('web', 'image: a\n      volumes: [{ name: tmp, nfs: {} }]'),
    'service.yaml:9:17  the volume "tmp" is of a kind that is not emulated; write secret, emptyDir or csi',
  ],
  [
    'a mount of nothing',
    minimal('web', 'image: a\n          volumeMounts: [{ name: x, mountPath: /x }]'),
    'service.yaml:9:26  there is no volume "x"; write it under volumes',
  ],
  [
    'neither image nor folder',
    minimal('web', 'args: []'),
    'service.yaml:3:19  the service "web" has nothing to run; write a Dockerfile, or "image" or "command" for it in devcloud.yaml',
  ],
  [
    'an undeclared instance',
    exported.replace(',shop-42:europe-west1:other', ''),
    'service.yaml:18:48  the Cloud SQL instance "main" is not declared; write "instances: { main: {} }" in devcloud.yaml',
  ],
])('%s in service.yaml is told', async (_, text, line) => {
  const fault = await faultOf({ 'service.yaml': text })
  expect(fault.evidence).toEqual([line])
})

test('an instance of another project asks for that project', async () => {
  const fault = await faultOf({ 'service.yaml': exported, 'devcloud.yaml': `project: other-project\n${instances}` })
  expect(fault.evidence[0]).toBe(
    'service.yaml:18:48  "shop-42:europe-west1:main" is not an instance of project other-project in europe-west1; write "project: shop-42" in devcloud.yaml',
  )
})

function minimal(name: string, container: string): string {
  return `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec:
  template:
    spec:
      containers:
        - ${container}
`
}

test('probes of service.yaml reach the service as they stand; what Cloud Run would refuse is told with its place', async () => {
  const withProbe = (probe: string) => `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: web }
spec:
  template:
    spec:
      containers:
        - image: web
          startupProbe: ${probe}
          livenessProbe: { httpGet: { path: /live, scheme: HTTP } }
`
  await using folder = await projectFolder({ 'service.yaml': withProbe('{ tcpSocket: { port: 8080 }, failureThreshold: 3 }') })
  const { services } = await readWanted(folder.path)
  expect(services[0]?.probes).toEqual({
    startupProbe: { tcpSocket: { port: 8080 }, failureThreshold: 3 },
    livenessProbe: { httpGet: { path: '/live' } },
  })
  const fault = await faultOf({ 'service.yaml': withProbe('{ tcpSocket: {}, httpGet: {}, periodSeconds: 0 }') })
  expect(fault.evidence).toEqual([
    'service.yaml:9:25  this does not fit; write one of tcpSocket, httpGet and grpc',
    'service.yaml:9:70  "0" does not fit; write a whole number from 1 to 3600',
  ])
})
