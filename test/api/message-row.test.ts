import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ServiceSchema } from '../../src/api/gen/google/cloud/run/v2/service_pb.ts'
import { IngressTraffic } from '../../src/api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { OperationSchema } from '../../src/api/gen/google/longrunning/operations_pb.ts'
import { readMessage, writeMessage } from '../../src/api/message-row.ts'

test('F11: a row that newer protos wrote is read: unknown fields and values are passed over, the rest is there', () => {
  const newer = JSON.stringify({
    name: 'projects/p/locations/l/services/s',
    ingress: 'INGRESS_TRAFFIC_OF_NEXT_YEAR',
    fieldOfNextYear: { deep: [1, 2] },
    template: { containers: [{ image: 'i', anotherField: true }], scaling: { maxInstanceCount: 3, newMode: 'X' } },
  })
  const service = readMessage(ServiceSchema, newer)
  expect(service).toMatchObject({ name: 'projects/p/locations/l/services/s', ingress: IngressTraffic.UNSPECIFIED })
  expect(service.template).toMatchObject({ containers: [{ image: 'i' }], scaling: { maxInstanceCount: 3 } })
  expect(readMessage(ServiceSchema, writeMessage(ServiceSchema, service))).toEqual(service)
})

test('F11: a row that older protos wrote has the defaults of what it lacks', () => {
  expect(readMessage(ServiceSchema, '{"name":"s"}')).toMatchObject({ name: 's', labels: {}, conditions: [], invokerIamDisabled: false })
})

test('F11: a row in binary keeps the fields that these protos do not know', () => {
  const unknownField = Buffer.from([0xba, 0x3e, 3, 1, 2, 3]) // number 999, length-delimited
  const row = Buffer.concat([
    Buffer.from(toBinary(OperationSchema, fromBinary(OperationSchema, Buffer.from([0x0a, 1, 0x6e])))),
    unknownField,
  ])
  const operation = fromBinary(OperationSchema, row)
  expect(operation.name).toBe('n')
  expect(Buffer.from(toBinary(OperationSchema, operation)).subarray(-6)).toEqual(unknownField)
})

test('a row that cannot be read is named by its kind, with the command that lists such rows', () => {
  for (const row of ['', '{"name":', '[]', '{"generation":"x"}']) {
    expect(() => readMessage(ServiceSchema, row)).toThrow(
      expect.objectContaining({
        fault: 'ROW_UNREADABLE',
        message: expect.stringContaining('google.cloud.run.v2.Service'),
        next: 'devcloud fsck',
      }),
    )
  }
})
