import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ServiceSchema } from '../../../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import type { WantedService } from '../../../../src/products/run/project/wanted-run.ts'
import { toRunService } from '../../../../src/products/run/project/to-run-service.ts'
import { probeOf } from '../../../../src/products/run/instances/probes.ts'

const wanted: WantedService = {
  id: 'web',
  from: { file: 'service.yaml', line: 1, column: 1 },
  image: 'web',
  env: {},
  port: 8080,
  cpus: 1,
  memoryBytes: 2 ** 29,
  concurrency: 80,
  minInstances: 0,
  maxInstances: 100,
  timeoutSeconds: 300,
  cloudSqlInstances: [],
  secretVolumes: [],
  invoker: 'all',
  before: [],
}

test("probes of service.yaml are those of version 2 of Cloud Run's API", () => {
  const probes = {
    startupProbe: { httpGet: { path: '/up', port: 8080 }, periodSeconds: 2, successThreshold: 1 },
    livenessProbe: { grpc: { service: 'shop' }, failureThreshold: 5 },
  }
  const service = fromJson(ServiceSchema, toRunService({ ...wanted, probes }, 'web') as JsonValue)
  const container = service.template?.containers[0]
  expect(container && probeOf('startup', container, 8080)).toMatchObject({ how: { kind: 'http', path: '/up' }, periodMs: 2000 })
  expect(container && probeOf('liveness', container, 8080)).toMatchObject({ how: { kind: 'grpc', service: 'shop' }, failureThreshold: 5 })
})

test('protocol, CPU and sessions reach the template', () => {
  const service = fromJson(
    ServiceSchema,
    toRunService({ ...wanted, protocol: 'h2c', cpuIdle: false, startupCpuBoost: true, sessionAffinity: true }, 'web') as JsonValue,
  )
  expect(service.template?.sessionAffinity).toBe(true)
  expect(service.template?.containers[0]).toMatchObject({ ports: [{ name: 'h2c' }], resources: { cpuIdle: false, startupCpuBoost: true } })
})
