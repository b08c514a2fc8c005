import { Jobs } from '../../api/gen/google/cloud/run/v2/job_pb.ts'
import { runOffer } from './offer.ts'
import { WorkerPools } from '../../api/gen/google/cloud/run/v2/worker_pool_pb.ts'
import { Revisions as RevisionsService } from '../../api/gen/google/cloud/run/v2/revision_pb.ts'
import { Services, type Service } from '../../api/gen/google/cloud/run/v2/service_pb.ts'
import { Condition_State } from '../../api/gen/google/cloud/run/v2/condition_pb.ts'
import type { RevisionTemplate } from '../../api/gen/google/cloud/run/v2/revision_template_pb.ts'
import { regions } from '../../api/regions.ts'
import { openIamPolicies } from '../../api/iam-policy.ts'
import { service, type Listed, type Product } from '../../api/product.ts'
import type { Container, LogLine } from '../../engine/engine.ts'
import type { DeployParts } from './services/deploy.ts'
import type { InstanceView } from '../../router/pool/revision-pool.ts'
import type { Lease } from '../../router/upstream.ts'
import { openDeployments } from './services/deployments.ts'
import { readLabels } from './instances/container-labels.ts'
import { groupByInstance, toInstance } from './instances/instance.ts'
import { openInstances, type Instances } from './instances/instances.ts'
import { openRunJobs, type ListedJob, type RunJobs } from './jobs/index.ts'
import type { Project, RunNeeds } from './needs.ts'
import { lastPart } from '../../base/last-part.ts'
import { projectOf, readName, serviceKind } from './names.ts'
import { revisionsOfBoth } from './revisions/revision-api.ts'
import { openRevisions, templateOf, type Revisions } from './services/revisions.ts'
import { followInstance } from './instances/start-instance.ts'
import { openBuilds } from './project/builds.ts'
import { planProject } from './project/plan.ts'
import type { WantedRun } from './project/wanted-run.ts'
import { openRoute } from './services/route.ts'
import { runOnce } from './instances/run-once.ts'
import { openServiceStore } from './services/service-store.ts'
import { openServiceWrites, openServiceRevisions, serviceRpcs } from './services/services.ts'
import { v1Iam, v1Routes } from './wire/v1.ts'
import { openRunWorkerPools, type RunWorkerPools } from './worker-pools/index.ts'

export { runOffer } from './offer.ts'
export { serviceOf } from './instances/container-labels.ts'
export type { RunNeeds } from './needs.ts'
export { readSources } from './project/read-sources.ts'
export { taskTable } from './jobs/task-rows.ts'

export interface CloudRun extends Product {
  /** What the services of `project` are doing now. */
  serving(project: string): readonly ServingService[]
  /** An instance of a service that is awake until the lease is released, as if it had a request; undefined when the service has no revision. */
  hold(project: string, service: string, signal: AbortSignal): Promise<Lease | undefined>
  /** Takes over what an earlier daemon left running. Answers the containers that nobody wants. */
  adopt(containers: readonly Container[]): readonly Container[]
  /** After what runs was adopted: instances start from here on, and executions that an earlier daemon left under way go on. */
  resume(): Promise<void>
  /** Jobs, their executions and tasks. */
  readonly jobs: RunJobs
  readonly workerPools: RunWorkerPools
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

interface ServingService {
  readonly id: string
  readonly region: string
  /** Of the newest ready revision; empty when there is none. */
  readonly revision: string
  readonly state: 'ready' | 'failed' | 'deploying'
  readonly instances: readonly InstanceView[]
}

/** Cloud Run: the admin APIs over one set of services, and what runs for them. */
export function cloudRun(needs: RunNeeds): CloudRun {
  const revisions = openRevisions(needs)
  const store = openServiceStore(needs, revisions)
  const instances = openInstances(needs)
  const policies = openIamPolicies(needs.state)
  const parts: DeployParts = { needs, store, revisions, instances, policies }
  const deployments = openDeployments(parts)
  const services = openServiceWrites(parts, deployments)
  const jobs = openRunJobs(needs, policies)
  const workerPools = openRunWorkerPools(needs, policies)
  const revisionApi = revisionsOfBoth(openServiceRevisions(parts), workerPools.revisions)
  const ofProject = (project: string) => store.newest(`projects/${project}`)
  const builds = openBuilds(needs.state)
  const serving = (project: string) => ofProject(project).map((found) => toServing(found, revisions, instances))
  void deployments.endInterrupted()
  const routeAll = (all: readonly Service[]) => {
    for (const found of all) if (needs.isUp(projectOf(found.name))) openRoute(parts, found)
  }
  routeAll(store.list(''))
  needs.onProjectPolicy((project) => routeAll(ofProject(project)))
  const iamRpcs = policies.rpcs(
    (name) => store.get(name).name,
    (name) => routeAll([store.get(name)]),
  )
  const adoptInstance = (containers: readonly [Container, ...Container[]]): boolean => {
    const [ingress] = containers
    const { project } = ingress
    const owner = readLabels(ingress)?.owner
    if (owner?.kind === 'task') return jobs.adopt(ingress)
    if (owner?.kind === 'worker') return workerPools.adopt(ingress)
    if (owner?.kind !== 'revision') return false
    const isWanted = store
      .list('')
      .some((found) => found.trafficStatuses.some((target) => `${found.name}/revisions/${target.revision}` === owner.name))
    const revision = isWanted ? revisions.get(owner.name) : undefined
    if (revision === undefined || !instances.adopt(containers, revision, needs.project(project))) return false
    followInstance(needs, templateOf(revision), needs.project(project), toInstance(containers))
    return true
  }
  return {
    ...runOffer,
    hosts: [
      'run.googleapis.com',
      '*-run.googleapis.com',
      '*.run.googleapis.com',
      'run.localhost',
      ...regions.map((region) => `${region}-run.localhost`),
    ],
    services: [
      { ...service(Services, { ...serviceRpcs(parts, services), ...iamRpcs }), rest: v1Iam('services') },
      service(RevisionsService, {
        getRevision: (request) => revisionApi.getRevision(request),
        listRevisions: (request) => revisionApi.listRevisions(request),
        deleteRevision: (request) => revisionApi.deleteRevision(request),
      }),
      ...jobs.services.map((offer) => (offer.descriptor === Jobs ? { ...offer, rest: v1Iam('jobs') } : offer)),
      ...workerPools.services.map((offer) => (offer.descriptor === WorkerPools ? { ...offer, rest: v1Iam('workerpools') } : offer)),
      needs.operations.service('/v2/{name=projects/*/locations/*/operations/*}', '/v1/{name=projects/*/locations/*/operations/*}'),
    ],
    wires: v1Routes(parts, services, revisionApi, jobs, workerPools),
    plan: (wanted, site) => planProject({ needs, builds, jobs }, wanted as WantedRun, site),
    list: async (project) => [...serving(project).map((one) => listedService(one, project, needs)), ...jobs.list(project).map(listedJob)],
    serving,
    async startProject(project, signal) {
      for (const found of ofProject(project)) {
        openRoute(parts, found)
        const newest = revisions.get(found.latestReadyRevision)
        if (newest !== undefined) await instances.warm(newest, needs.project(project), signal)
      }
      await Promise.all([jobs.resume(), workerPools.resume()])
    },
    async hold(project, id, signal) {
      const found = ofProject(project).find(({ name }) => lastPart(name) === id)
      const newest = found === undefined ? undefined : revisions.get(found.latestReadyRevision)
      if (newest === undefined || !needs.isUp(project)) return undefined
      return instances.pool(newest, needs.project(project)).acquire(signal)
    },
    async stopProject(project) {
      const count = serving(project).reduce((sum, { instances: { length } }) => sum + length, 0)
      for (const found of ofProject(project)) needs.router.removeRoute(project, lastPart(found.name))
      const retired = ofProject(project).flatMap((found) => revisions.list(found.name).map(({ name }) => instances.retire(name, 'now')))
      await Promise.all([...retired, jobs.stopProject(project), workerPools.stopProject(project)])
      return count === 0 ? '' : count === 1 ? '1 instance' : `${count} instances`
    },
    projects: () => [...new Set([store.projects(), jobs.projects(), workerPools.projects()].flat())],
    async removeProject(project) {
      const parent = `projects/${project}`
      for (const name of store.names(parent)) needs.router.removeRoute(project, lastPart(name))
      await store.deleteBelow(parent)
      await Promise.all([instances.retireAll(`${parent}/`), jobs.removeProject(project), workerPools.removeProject(project)])
    },
    adopt: (containers) =>
      groupByInstance(containers)
        .filter((group) => !adoptInstance(group))
        .flat(),
    runOnce: (project, id, template, command, onLine, signal) => runOnce(needs, project, id, template, command, onLine, signal),
    async resume() {
      instances.open()
      await Promise.all([jobs.resume(), workerPools.resume()])
    },
    jobs,
    workerPools,
    async [Symbol.asyncDispose]() {
      await jobs[Symbol.asyncDispose]()
      await workerPools[Symbol.asyncDispose]()
      await instances[Symbol.asyncDispose]()
    },
  }
}

function listedService({ id, region, state }: ServingService, project: string, needs: RunNeeds): Listed {
  return { kind: 'service', id, region, state: needs.isUp(project) ? state : 'down', url: needs.urlOf(project, id) }
}

/** `0 3 * * * UTC · next 2026-11-27T03:00Z` */
function listedJob({ id, region, state, schedule, nextRunMs }: ListedJob): Listed {
  const next = nextRunMs === undefined ? '' : ` · next ${new Date(nextRunMs).toISOString().slice(0, 16)}Z`
  return { kind: 'job', id, region, state, ...(schedule !== undefined && { detail: `${schedule.cron} ${schedule.timeZone}${next}` }) }
}

function toServing(service: Service, revisions: Revisions, instances: Instances): ServingService {
  const { id, region } = readName(serviceKind, service.name)
  const running = revisions.list(service.name).flatMap((revision) => instances.running(revision.name))
  const state = service.terminalCondition?.state
  return {
    id,
    region,
    revision: lastPart(service.latestReadyRevision),
    state: service.reconciling ? 'deploying' : state === Condition_State.CONDITION_SUCCEEDED ? 'ready' : 'failed',
    instances: running,
  }
}
