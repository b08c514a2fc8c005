import { expect, test } from 'vitest'
import { escapeMessage } from '../../src/api/grpc-message.ts'
import { compilePathTemplate } from '../../src/api/path-template.ts'

test('a variable of several segments keeps its slashes, and the verb is not part of it', () => {
  const template = compilePathTemplate('/v1/{name=projects/*/secrets/*/versions/*}:access')
  expect(template.match('/v1/projects/p/secrets/s/versions/latest:access')).toEqual({ name: 'projects/p/secrets/s/versions/latest' })
  expect(template.match('/v1/projects/p/secrets/s/versions/latest')).toBeUndefined()
})

test('sql trap 47: a colon in a name comes escaped and is not taken for a verb', () => {
  const template = compilePathTemplate('/v1/{resource=projects/*/secrets/*}:setIamPolicy')
  expect(template.match('/v1/projects/p/secrets/a%3Ab:setIamPolicy')).toEqual({ resource: 'projects/p/secrets/a:b' })
})

test('a broken escape matches nothing rather than throwing', () => {
  expect(compilePathTemplate('/v1/{name=projects/*}').match('/v1/projects/%E0%A4%A')).toBeUndefined()
})

test('a grpc-message escapes percent signs and bytes that are not printable ASCII, and nothing else', () => {
  expect(escapeMessage('a/b [c] 100% é')).toBe('a/b [c] 100%25 %C3%A9')
})
