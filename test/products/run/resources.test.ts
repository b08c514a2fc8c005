import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { RevisionTemplateSchema } from '../../../src/api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { TrafficTargetAllocationType, TrafficTargetSchema } from '../../../src/api/gen/google/cloud/run/v2/traffic_target_pb.ts'
import { hostsOf, taggedHosts } from '../../../src/products/run/services/hosts.ts'
import { readBytes, readCpus } from '../../../src/products/run/instances/amounts.ts'
import { checkId, serviceKind } from '../../../src/products/run/names.ts'
import { revisionId } from '../../../src/products/run/revisions/revisions.ts'
import { templateKey } from '../../../src/products/run/revisions/template-key.ts'
import { withDefaults } from '../../../src/products/run/services/fill-template.ts'
import { checkTraffic, resolveTraffic } from '../../../src/products/run/services/traffic.ts'

const template = (env: Record<string, string> = {}) =>
  create(RevisionTemplateSchema, {
    containers: [
      { image: 'hello', env: Object.entries(env).map(([name, value]) => ({ name, values: { case: 'value' as const, value } })) },
    ],
  })

test('defaults are those of Cloud Run', () => {
  const filled = withDefaults(template())
  expect(filled.containers[0]?.ports[0]).toMatchObject({ name: 'http1', containerPort: 8080 })
  expect(filled.containers[0]?.resources?.limits).toEqual({ cpu: '1000m', memory: '512Mi' })
  expect(filled.maxInstanceRequestConcurrency).toBe(80)
  expect(filled.timeout?.seconds).toBe(300n)
})

test('run trap 29: another environment makes another revision, the same one does not', () => {
  expect(templateKey(RevisionTemplateSchema, withDefaults(template({ A: '1' })))).toBe(
    templateKey(RevisionTemplateSchema, withDefaults(template({ A: '1' }))),
  )
  expect(templateKey(RevisionTemplateSchema, withDefaults(template({ A: '1' })))).not.toBe(
    templateKey(RevisionTemplateSchema, withDefaults(template({ A: '2' }))),
  )
})

test('names that the contract sets cannot be set by a user', () => {
  expect(() => withDefaults(template({ PORT: '1' }))).toThrow('reserved env names were provided: PORT')
})

test('amounts are read as Kubernetes writes them', () => {
  expect([readCpus('500m'), readCpus('2'), readBytes('512Mi'), readBytes('1G')]).toEqual([0.5, 2, 536_870_912, 1e9])
  expect(() => readBytes('lots')).toThrow('is not an amount of memory')
})

test('service ids follow the rule of Run v2', () => {
  expect(() => checkId(serviceKind, 'hello-1')).not.toThrow()
  for (const bad of ['1a', 'A', 'a-', '', 'x'.repeat(50)]) expect(() => checkId(serviceKind, bad)).toThrow('service_id')
  expect(revisionId('hello', 2n, 'fob')).toBe('hello-00002-fob')
})

test('run trap 27: both URL forms and their tags are hosts of a service', () => {
  const hosts = hostsOf({ id: 'demo', number: '123456789012' }, 'us-central1', 'hello')
  expect(hosts.hashed).toMatch(/^hello-[a-z0-9]{10}-uc\.a\.run\.app$/)
  expect(hosts.deterministic).toBe('hello-123456789012.us-central1.run.app')
  expect(taggedHosts('canary', [hosts.local])).toEqual(['canary---hello.localhost'])
})

test('run trap 28: the deterministic URL is absent when its label is longer than 63 characters', () => {
  expect(hostsOf({ id: 'demo', number: '123456789012' }, 'us-central1', 'h'.repeat(51)).deterministic).toBeUndefined()
})

test('run trap 30: percents that do not sum to 100 are refused', () => {
  const half = create(TrafficTargetSchema, { type: TrafficTargetAllocationType.LATEST, percent: 50 })
  expect(() => checkTraffic([half])).toThrow('should be 100, but is 50')
  expect(() => checkTraffic([half, half])).not.toThrow()
})

test('empty traffic is everything to the latest ready revision', () => {
  expect(resolveTraffic([], 'hello-00002-fob', 'https://h')).toMatchObject([{ revision: 'hello-00002-fob', percent: 100 }])
})
