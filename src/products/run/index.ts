import { create } from '@bufbuild/protobuf'
import { Revisions as RevisionsService, ListRevisionsResponseSchema } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { Services, type Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { Condition_State } from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { openIamPolicies } from '../../api/iam-policy.ts'
import { service, type Product } from '../../api/product.ts'
import { CloudError } from '../../base/cloud-error.ts'
import type { Container, LogLine } from '../../engine/engine.ts'
import { openRoute } from './deploy.ts'
import { openInstances, type Instances } from './instances.ts'
import type { Project, RunNeeds } from './needs.ts'
import { readServiceName } from './resources.ts'
import { openRevisions, type Revisions } from './revisions.ts'
import { runOnce } from './run-once.ts'
import { openServices } from './services.ts'

export interface CloudRun extends Product {
  /** What the services of `project` are doing now. */
  serving(project: string): readonly ServingService[]
  /** Takes requests for the services of `project` again, and starts an instance of each that has none. */
  startProject(project: string, signal: AbortSignal): Promise<void>
  /** Takes no more requests for the services of `project`, and stops their instances; what they are stays. */
  stopProject(project: string): Promise<void>
  /** Forgets every service of `project`. */
  removeProject(project: string): Promise<void>
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

export interface ServingService {
  readonly id: string
  readonly region: string
  /** Of the newest ready revision; empty when there is none. */
  readonly revision: string
  readonly state: 'ready' | 'failed' | 'deploying'
  readonly instances: readonly { readonly id: string; readonly inFlight: number }[]
}

/** Cloud Run v2: Services and Revisions. */
export function cloudRun(needs: RunNeeds): CloudRun {
  const revisions = openRevisions(needs)
  const instances = openInstances(needs)
  const services = openServices(needs, revisions, instances)
  const policies = openIamPolicies(needs.state)
  const ofProject = (project: string) => services.all().filter((found) => readServiceName(found.name).project === project)
  for (const found of services.all()) if (needs.isUp(readServiceName(found.name).project)) openRoute(needs, revisions, instances, found)
  const { all: _all, remove: _remove, ...rpcs } = services
  return {
    name: 'run',
    hosts: ['run.googleapis.com', '*.run.googleapis.com'],
    services: [
      service(Services, { ...rpcs, ...policies.rpcs((name) => services.nameOf(name)) }),
      service(RevisionsService, {
        getRevision(request) {
          const found = revisions.get(byId(needs, request.name))
          if (found === undefined) throw new CloudError('NOT_FOUND', `Revision '${request.name}' does not exist.`, 'List them first.')
          return found
        },
        listRevisions: (request) => create(ListRevisionsResponseSchema, { revisions: [...revisions.list(byId(needs, request.parent))] }),
      }),
      needs.operations.service('/v2/{name=projects/*/locations/*/operations/*}'),
    ],
    serving: (project) => ofProject(project).map((found) => toServing(found, revisions, instances)),
    async startProject(project, signal) {
      for (const found of ofProject(project)) {
        openRoute(needs, revisions, instances, found)
        const newest = revisions.get(found.latestReadyRevision)
        if (newest !== undefined) await instances.warm(newest, needs.project(project), signal)
      }
    },
    async stopProject(project) {
      for (const found of ofProject(project)) needs.router.removeRoute(project, readServiceName(found.name).service)
      await Promise.all(ofProject(project).flatMap((found) => revisions.list(found.name).map(({ name }) => instances.retire(name))))
    },
    async removeProject(project) {
      await Promise.all(ofProject(project).map((found) => services.remove(found)))
    },
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

function toServing(service: Service, revisions: Revisions, instances: Instances): ServingService {
  const { service: id, region } = readServiceName(service.name)
  const running = revisions.list(service.name).flatMap((revision) => instances.running(revision.name))
  const state = service.terminalCondition?.state
  return {
    id,
    region,
    revision: service.latestReadyRevision.split('/').at(-1) ?? '',
    state: service.reconciling ? 'deploying' : state === Condition_State.CONDITION_SUCCEEDED ? 'ready' : 'failed',
    instances: running,
  }
}

/** Project numbers stand for ids in every name. */
function byId(needs: RunNeeds, name: string): string {
  return name.replace(/^projects\/([^/]+)/, (_all, project: string) => `projects/${needs.project(project).id}`)
}
