import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { RevisionTemplateSchema } from '../../../../src/api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { templateKey } from '../../../../src/products/run/revisions/template-key.ts'
import { withDefaults } from '../../../../src/products/run/services/fill-template.ts'

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
