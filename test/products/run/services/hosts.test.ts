import { expect, test } from 'vitest'
import { hostsOf, taggedHosts } from '../../../../src/products/run/services/hosts.ts'

test('run trap 27: both URL forms and their tags are hosts of a service', () => {
  const hosts = hostsOf({ id: 'demo', number: '123456789012' }, 'us-central1', 'hello')
  expect(hosts.hashed).toMatch(/^hello-[a-z0-9]{10}-uc\.a\.run\.app$/)
  expect(hosts.deterministic).toBe('hello-123456789012.us-central1.run.app')
  expect(taggedHosts('canary', [hosts.local])).toEqual(['canary---hello.localhost'])
})

test('run trap 28: the deterministic URL is absent when its label is longer than 63 characters', () => {
  expect(hostsOf({ id: 'demo', number: '123456789012' }, 'us-central1', 'h'.repeat(51)).deterministic).toBeUndefined()
})
