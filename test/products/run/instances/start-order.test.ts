import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { RevisionTemplateSchema } from '../../../../src/api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { startOrder } from '../../../../src/products/run/instances/start-order.ts'
import { withDefaults } from '../../../../src/products/run/services/fill-template.ts'

function order(text: string, ingressGoes?: 'last'): string {
  const containers = text.split(', ').map((one) => {
    const [name = '', dependsOn = ''] = one.split('<')
    return {
      name: name.replace('*', ''),
      image: 'i',
      dependsOn: dependsOn.split(' ').filter(Boolean),
      ports: name.includes('*') ? [{ containerPort: 80 }] : [],
    }
  })
  return startOrder(create(RevisionTemplateSchema, { containers }), ingressGoes)
    .map(({ name }) => name)
    .join(' ')
}

test('a container starts behind all that it depends on; among those that may go first the ingress container does', () => {
  expect(order('a, b, app*')).toBe('app a b')
  expect(order('app*<a, a')).toBe('a app')
  expect(order('app*<a b, a<b, b<c, c')).toBe('c b a app')
  expect(order('app*, a<app, b<a')).toBe('app a b')
})

test('what ends by itself starts behind those that may go first, but before what depends on it', () => {
  expect(order('main, a, b', 'last')).toBe('a b main')
  expect(order('main, a<main, b', 'last')).toBe('b main a')
})

test('an unknown dependency and a circle are refused by name', () => {
  expect(() => order('app*<db')).toThrow('Container "app" depends on "db", which is not a container')
  expect(() => order('app*<a, a<b, b<a, c')).toThrow('"app", "a", "b" depend on one another in a circle')
  expect(() => order('app*<app')).toThrow('"app" depend on one another in a circle')
})

function containers(...list: object[]) {
  return () => withDefaults(create(RevisionTemplateSchema, { containers: list }))
}

test('beside sidecars exactly one container must declare a port, and names are unique', () => {
  const words = 'Revision template should contain exactly one container with an exposed port.'
  expect(containers({ image: 'a' }, { image: 'b' })).toThrow(words)
  const port = { ports: [{ containerPort: 80 }] }
  expect(containers({ image: 'a', ...port }, { image: 'b', ...port })).toThrow(words)
  expect(containers({ name: 'x', image: 'a', ...port }, { name: 'x', image: 'b' })).toThrow('"x" is given twice')
  expect(containers({ name: 'X', image: 'a' })).toThrow('must hold only lower case letters')
  expect(containers(...Array.from({ length: 11 }, () => ({ image: 'a' })), port)).toThrow('at most 10 elements')
})

test('containers get names from their images, CPU and memory, and no port that they did not ask for', () => {
  const template = containers({ image: 'r/p/web:1', ports: [{ containerPort: 80 }] }, { image: 'web@sha256:0' }, { image: 'x/My_Proxy' })()
  expect(template.containers.map(({ name }) => name)).toEqual(['web-1', 'web-2', 'my-proxy-1'])
  expect(template.containers.map(({ ports }) => ports.length)).toEqual([1, 0, 0])
  expect(template.containers[2]?.resources?.limits).toEqual({ cpu: '1000m', memory: '512Mi' })
})

test('CPU and memory are those of the table of Cloud Run', () => {
  const limits =
    (cpu: string, memory: string, concurrency = 0) =>
    () =>
      withDefaults(
        create(RevisionTemplateSchema, {
          maxInstanceRequestConcurrency: concurrency,
          containers: [{ image: 'a', resources: { cpuIdle: true, limits: { cpu, memory } } }],
        }),
      )
  for (const [cpu, memory] of [
    ['80m', '512Mi'],
    ['0.5', '1Gi'],
    ['1', '4Gi'],
    ['2', '128Mi'],
    ['4', '2Gi'],
    ['8', '32Gi'],
  ] as const) {
    expect(limits(cpu, memory), `${cpu} ${memory}`).not.toThrow()
  }
  expect(limits('3', '1Gi')).toThrow('Invalid value specified for cpu. 3 is not one of')
  expect(limits('50m', '128Mi')).toThrow('Invalid value specified for cpu')
  expect(limits('1', '5Gi')).toThrow('For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive.')
  expect(limits('4', '1Gi')).toThrow('For 4.0 CPU, memory must be between 2Gi and 16Gi inclusive.')
  expect(limits('500m', '512Mi', 2)).toThrow('Total cpu < 1 is not supported with concurrency > 1.')
  expect(limits('500m', '512Mi')().maxInstanceRequestConcurrency).toBe(1)
})
