import { getOption, hasOption, type DescMethod, type DescService } from '@bufbuild/protobuf'
import { http } from './gen/google/api/annotations_pb.ts'
import type { HttpRule } from './gen/google/api/http_pb.ts'
import { compilePathTemplate, type PathTemplate } from './path-template.ts'
import type { Service } from './product.ts'

/** One REST path of one RPC. */
export interface RestMethod {
  readonly service: Service
  readonly method: DescMethod
  readonly verb: string
  readonly template: PathTemplate
  readonly body: string | undefined
}

/** The REST paths of a service: from `google.api.http` with additional bindings, and from `Service.rest`. */
export function restMethods(service: Service): readonly RestMethod[] {
  const own = service.descriptor.methods.flatMap((method) => {
    if (!hasOption(method, http)) return []
    const rule = getOption(method, http)
    return [rule, ...rule.additionalBindings].flatMap((binding) => toMethod(service, method, binding))
  })
  const added = (service.rest ?? []).map((binding): RestMethod => ({
    service,
    method: methodOf(service.descriptor, binding.method),
    verb: binding.verb,
    template: compilePathTemplate(binding.path),
    body: binding.body,
  }))
  return [...own, ...added]
}

function toMethod(service: Service, method: DescMethod, rule: HttpRule): readonly RestMethod[] {
  const { pattern } = rule
  if (pattern.case === undefined) return []
  const [verb, path] = pattern.case === 'custom' ? [pattern.value.kind, pattern.value.path] : [pattern.case.toUpperCase(), pattern.value]
  return [{ service, method, verb, template: compilePathTemplate(path), body: rule.body === '' ? undefined : rule.body }]
}

function methodOf(descriptor: DescService, localName: string): DescMethod {
  const method = descriptor.methods.find((candidate) => candidate.localName === localName)
  if (method === undefined) throw new TypeError(`${descriptor.typeName} has no method ${localName}`)
  return method
}
