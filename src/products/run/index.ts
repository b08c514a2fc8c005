import { create } from '@bufbuild/protobuf'
import { Revisions as RevisionsService, ListRevisionsResponseSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { Services } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { service, type Product } from '../../api/product.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { Container, LogLine } from '../../engine/engine.ts'
import { openInstances } from './instances.ts'
import type { Project, RunNeeds } from './needs.ts'
import { openRevisions } from './revisions.ts'
import { runOnce } from './run-once.ts'
import { openServices, reopenRoutes } from './services.ts'

export interface CloudRun extends Product {
  /** Takes over what an earlier daemon left running; false when nobody wants the container. */
  adopt(container: Container): boolean
  /** Runs a command to its end as an instance of `template` would run. Answers the exit code. */
  runOnce(
    project: Project,
    service: string,
    template: RevisionTemplate,
    command: readonly string[],
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<number>
}

/** Cloud Run v2: Services and Revisions. */
export function cloudRun(needs: RunNeeds): CloudRun {
  const revisions = openRevisions(needs)
  const instances = openInstances(needs)
  const services = openServices(needs, revisions, instances)
  reopenRoutes(needs, services, revisions, instances)
  const { all: _all, ...rpcs } = services
  return {
    name: 'run',
    hosts: ['run.googleapis.com', '*.run.googleapis.com'],
    services: [
      service(Services, rpcs),
      service(RevisionsService, {
        getRevision(request) {
          const found = revisions.get(byId(needs, request.name))
          if (found === undefined) throw new CloudError('NOT_FOUND', `Revision '${request.name}' does not exist.`, 'List them first.')
          return found
        },
        listRevisions: (request) => create(ListRevisionsResponseSchema, { revisions: [...revisions.list(byId(needs, request.parent))] }),
      }),
    ],
    adopt(container) {
      const name = container.labels['revisionName']
      const wanted =
        name === undefined
          ? undefined
          : services.all().find((found) => found.trafficStatuses.some((target) => `${found.name}/revisions/${target.revision}` === name))
      return wanted !== undefined && name !== undefined && instances.adopt(container, revisions.get(name), needs.project(container.project))
    },
    runOnce: (project, id, template, command, onLine, signal) => runOnce(needs, project, id, template, command, onLine, signal),
    [Symbol.asyncDispose]: () => instances[Symbol.asyncDispose](),
  }
}

/** Project numbers stand for ids in every name. */
function byId(needs: RunNeeds, name: string): string {
  return name.replace(/^projects\/([^/]+)/, (_all, project: string) => `projects/${needs.project(project).id}`)
}
