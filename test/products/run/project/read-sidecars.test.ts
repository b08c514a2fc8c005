import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ServiceSchema } from '../../../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { toRunService } from '../../../../src/products/run/project/to-run-service.ts'
import { withDefaults } from '../../../../src/products/run/services/fill-template.ts'
import { startOrder } from '../../../../src/products/run/instances/start-order.ts'
import { projectFolder } from '../../../config/project-folder.ts'
import { newPlanText, readWanted } from '../../../config/read-wanted.ts'

/** As `gcloud run services describe --format export` writes a service of two containers. */
const exported = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: web
spec:
  template:
    metadata:
      annotations:
        run.googleapis.com/container-dependencies: '{"proxy":["app"]}'
    spec:
      containers:
        - name: app
          image: a/app
          command: [/app]
          env: [{ name: KEY, valueFrom: { secretKeyRef: { name: key, key: latest } } }]
          resources: { limits: { cpu: 500m, memory: 256Mi } }
          startupProbe: { httpGet: { path: /up, port: 9000 }, periodSeconds: 2, failureThreshold: 5, successThreshold: 1 }
          volumeMounts: [{ name: shared, mountPath: /shared }, { name: keys, mountPath: /keys }]
        - name: proxy
          image: a/proxy
          ports: [{ name: http1, containerPort: 8081 }]
          volumeMounts: [{ name: shared, mountPath: /shared }, { name: files, mountPath: /files }, { name: keys, mountPath: /keys }]
      volumes:
        - { name: shared, emptyDir: { medium: Memory, sizeLimit: 16Mi } }
        - { name: files, csi: { driver: gcsfuse.run.googleapis.com, readOnly: true, volumeAttributes: { bucketName: my-files, mountOptions: 'only-dir=a,implicit-dirs' } } }
        - { name: keys, secret: { secretName: key, items: [{ key: '1', path: first }] } }
`

test('sidecars, their order and volumes of a service.yaml are those of version 2 of the API', async () => {
  await using folder = await projectFolder({
    'service.yaml': exported,
    'devcloud.yaml': 'secrets: { key: { value: s } }\nbuckets: { my-files: {} }\n',
  })
  const wanted = await readWanted(folder.path)
  const [service] = wanted.services
  if (service === undefined) throw new Error('no service')
  expect(newPlanText(wanted)).toMatch(/sidecar app +image a\/app[\s\S]*volume shared +\/shared[\s\S]*volume files +\/files/)
  const sent = fromJson(ServiceSchema, toRunService(service, 'a/proxy') as JsonValue).template
  const template = sent && withDefaults(sent)
  expect(template && startOrder(template).map(({ name }) => name)).toEqual(['app', 'proxy'])
  const [proxy, app] = template?.containers ?? []
  expect(proxy).toMatchObject({ name: 'proxy', dependsOn: ['app'], ports: [{ containerPort: 8081 }] })
  expect(proxy?.volumeMounts.map(({ mountPath }) => mountPath).toSorted()).toEqual(['/files', '/keys', '/shared'])
  expect(app).toMatchObject({
    name: 'app',
    image: 'a/app',
    command: ['/app'],
    ports: [],
    env: [{ name: 'KEY', values: { case: 'valueSource' } }],
  })
  expect(app?.resources?.limits).toEqual({ cpu: '500m', memory: '256Mi' })
  expect(app?.startupProbe).toMatchObject({ failureThreshold: 5, probeType: { case: 'httpGet', value: { path: '/up', port: 9000 } } })
  expect(template?.volumes.map(({ name, volumeType }) => `${name} ${volumeType.case}`).toSorted()).toEqual([
    'files gcs',
    'keys secret',
    'secret-0 secret',
    'shared emptyDir',
  ])
})
