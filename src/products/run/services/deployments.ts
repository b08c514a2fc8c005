import { ServiceSchema, type Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import type { Operation } from '../../../api/gen/google/longrunning/operations_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { SerialQueues } from '../../../base/serial-queues.ts'
import { markFailed } from '../conditions.ts'
import { locationOf } from '../names.ts'
import { deploy, type DeployParts } from './deploy.ts'

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
  const queues = new SerialQueues()
  return {
    start(service, isTrafficOnly) {
      return needs.operations.start({ parent: locationOf(service.name), metadata: [ServiceSchema, service] }, async () => {
        const outcome = await queues.run(service.name, () => deploy(parts, service, isTrafficOnly, AbortSignal.timeout(longestMs)))
        if (outcome.failure !== undefined) throw outcome.failure
        return [ServiceSchema, outcome.service] as const
      })
    },
    settled: (name) => queues.settled(name),
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
