import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { markFailed } from '../conditions.ts'
import { deploy, type DeployParts } from './deploy.ts'
import { readServiceName } from '../resources.ts'

/** Deployments of one service follow one another, each behind a long-running operation. */
export interface Deployments {
  /** Carries `service`, as it is stored, into effect. @param isTrafficOnly see `deploy` */
  start(service: Service, isTrafficOnly: boolean): Promise<Operation>
  /** Waits for what is under way for the service. */
  settled(name: string): Promise<void>
  /** A daemon that ended amid a deployment left it so: it is told as failed, and may be asked for again. */
  endInterrupted(): Promise<void>
}

export function openDeployments(parts: DeployParts): Deployments {
  const { needs, store, revisions } = parts
  const queue = new Map<string, Promise<unknown>>()
  const enqueue = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const turn = (queue.get(name) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => {})
    queue.set(name, settled)
    try {
      return await turn
    } finally {
      if (queue.get(name) === settled) queue.delete(name)
    }
  }
  return {
    start(service, isTrafficOnly) {
      const { project, region } = readServiceName(service.name)
      return needs.operations.start({ parent: `projects/${project}/locations/${region}`, metadata: [ServiceSchema, service] }, async () => {
        const outcome = await enqueue(service.name, () => deploy(parts, service, isTrafficOnly, AbortSignal.timeout(longestMs)))
        if (outcome.failure !== undefined) throw outcome.failure
        return [ServiceSchema, outcome.service] as const
      })
    },
    settled: async (name) => void (await queue.get(name)),
    async endInterrupted() {
      const failure = new CloudError('ABORTED', 'The devcloud daemon ended while this was deployed.', 'Deploy again.')
      for (const service of store.list('').filter(({ reconciling }) => reconciling)) {
        const revision = revisions.get(service.latestCreatedRevision)
        if (revision?.reconciling === true) await revisions.setReady(revision.name, failure)
        markFailed(service, failure, new Date(needs.clock.nowMs()))
        await store.put(service)
      }
    },
  }
}

/** More than the longest startup probe of a sidecar and of the ingress container after it. */
const longestMs = 600_000
