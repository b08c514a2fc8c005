import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ContainerSchema } from '../../../../src/api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { RevisionTemplateSchema } from '../../../../src/api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { fillContainers } from '../../../../src/products/run/instances/container-rules.ts'

const filled = (...containers: readonly { readonly image: string; readonly ports?: { readonly containerPort: number }[] }[]) => {
  const template = create(RevisionTemplateSchema, { containers: containers.map((container) => create(ContainerSchema, container)) })
  fillContainers(template, { field: 'template.containers', reservedEnv: [] })
  return template.containers.map(({ name }) => name)
}

test('a container without a name has that of its image', () => {
  expect(filled({ image: 'us-docker.pkg.dev/p/r/hello:1' }, { image: 'hello@sha256:0af' })).toEqual(['hello-1', 'hello-2'])
  expect(filled({ image: 'sha256:e64514496e0e' }), 'an id has no name').toEqual(['app-1'])
})

test('a port that no socket has is refused', () => {
  expect(() => filled({ image: 'hello', ports: [{ containerPort: 70_000 }] })).toThrow(
    'template.containers[0].ports.container_port: must be between 1 and 65535, inclusive, but is 70000.',
  )
})
