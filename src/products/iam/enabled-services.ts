import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf'
import { anyPack } from '@bufbuild/protobuf/wkt'
import { lastPart } from '../../base/last-part.ts'
import { ServiceSchema, State, type Service as EnabledService } from '../../api/gen/google/api/serviceusage/v1/resources_pb.ts'
import {
  BatchEnableServicesResponseSchema,
  BatchGetServicesResponseSchema,
  DisableServiceResponseSchema,
  EnableServiceResponseSchema,
  ListServicesResponseSchema,
  ServiceUsage,
} from '../../api/gen/google/api/serviceusage/v1/serviceusage_pb.ts'
import { OperationSchema, type Operation } from '../../api/gen/google/longrunning/operations_pb.ts'
import { service, type Service } from '../../api/product.ts'
import { unimplemented } from '../../api/status.ts'
import { openCollection } from '../../state/collection.ts'
import type { IamNeeds } from './needs.ts'
import { invalid } from './names.ts'

/** Source: BatchEnableServicesRequest.service_ids. */
const batchLimit = 20
/** What Google names the operation when there was nothing to do. */
export const doneOperation = 'operations/noop.DONE_OPERATION'

/** Service Usage: what is emulated is enabled from the start, what is not is refused by name. Disabling is kept and shown, nothing is denied. */
export function serviceUsage(needs: IamNeeds): Service {
  const titles = needs.apis
  const disabled = openCollection(needs.state, 'serviceusage.disabled')
  const parentOf = (parent: string) => {
    const [, project] = /^projects\/([^/]+)$/.exec(parent) ?? []
    if (project === undefined) throw invalid(`"${parent}" does not match the pattern "projects/*".`)
    return `projects/${needs.project(project).number}`
  }
  const checkEmulated = (ids: readonly string[]) => {
    const unknown = ids.filter((id) => !Object.hasOwn(titles, id))
    if (unknown.length > 0) throw unimplemented(unknown.join(', '))
  }
  const nameOf = (told: string) => {
    const [, parent = '', id = ''] = /^(projects\/[^/]+)\/services\/([^/]+)$/.exec(told) ?? []
    checkEmulated([id === '' ? told : id])
    return `${parentOf(parent)}/services/${id}`
  }
  const toService = (name: string): EnabledService => {
    const [parent = '', id = ''] = name.split('/services/')
    const state = disabled.get(name) === undefined ? State.ENABLED : State.DISABLED
    return create(ServiceSchema, { name, parent, config: { name: id, title: titles[id] ?? id }, state })
  }
  const batch = (parent: string, ids: readonly string[]) => {
    if (ids.length === 0) throw invalid('The request must name at least one service.')
    if (ids.length > batchLimit) throw invalid(`A batch must name at most ${batchLimit} services, not ${ids.length}.`)
    checkEmulated(ids)
    return ids.map((id) => `${parentOf(parent)}/services/${id}`)
  }
  return service(ServiceUsage, {
    async enableService(request) {
      const name = nameOf(request.name)
      await disabled.delete(name)
      return done(EnableServiceResponseSchema, create(EnableServiceResponseSchema, { service: toService(name) }))
    },
    async disableService(request) {
      const name = nameOf(request.name)
      await disabled.put(name, '')
      return done(DisableServiceResponseSchema, create(DisableServiceResponseSchema, { service: toService(name) }))
    },
    async batchEnableServices(request) {
      const names = batch(request.parent, request.serviceIds)
      await Promise.all(names.map((name) => disabled.delete(name)))
      return done(BatchEnableServicesResponseSchema, create(BatchEnableServicesResponseSchema, { services: names.map(toService) }))
    },
    getService: (request) => toService(nameOf(request.name)),
    batchGetServices(request) {
      const names = batch(request.parent, request.names.map(lastPart))
      return create(BatchGetServicesResponseSchema, { services: names.map(toService) })
    },
    listServices(request) {
      const wanted = { '': undefined, 'state:ENABLED': State.ENABLED, 'state:DISABLED': State.DISABLED }[request.filter]
      if (wanted === undefined && request.filter !== '') throw invalid(`filter must be state:ENABLED or state:DISABLED.`)
      const all = Object.keys(titles)
        .toSorted()
        .map((id) => toService(`${parentOf(request.parent)}/services/${id}`))
      return create(ListServicesResponseSchema, { services: all.filter(({ state }) => wanted === undefined || state === wanted) })
    },
  })
}

function done<T extends DescMessage>(schema: T, message: MessageShape<T>): Operation {
  return create(OperationSchema, { name: doneOperation, done: true, result: { case: 'response', value: anyPack(schema, message) } })
}
