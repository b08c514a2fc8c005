import type { Container as RunContainer, Volume } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { projectOfEmail } from '../../../api/borders.ts'
import { invalid } from '../invalid.ts'
import type { Project } from '../needs.ts'
import type { ContainerOwner } from './container-labels.ts'

/** One instance to start: of a revision, a task, a worker pool, or a command that runs once. */
export interface InstanceSpec {
  /** Unique in the state directory, [a-z0-9-], at most 50 characters: the ingress container has it, a sidecar adds `-NAME`. */
  readonly name: string
  readonly project: Project
  readonly template: InstanceTemplate
  /** Variables of the contract, for every container: K_SERVICE, or CLOUD_RUN_JOB and its like. */
  readonly env: Readonly<Record<string, string>>
  /** The port that requests come to, for the ingress container alone. Absent for what serves none: such an instance gets no PORT. */
  readonly port?: number
  /** Kept with every container: a new daemon adopts by it. */
  readonly owner: ContainerOwner
}

/** What templates of revisions, tasks and worker pools have in common. */
export interface InstanceTemplate {
  readonly containers: readonly RunContainer[]
  readonly volumes: readonly Volume[]
  readonly serviceAccount: string
}

/** The container that requests come to: the one with a port, or the only one. */
export function ingressOf(template: InstanceTemplate): RunContainer | undefined {
  return template.containers.find((container) => container.ports.length > 0) ?? template.containers[0]
}

/**
 * The account that a template runs as: its own, or the project's default one. Whatever runs is a service account, never the person at this machine.
 * @throws CloudError INVALID_ARGUMENT for what is no service account's email
 */
export function serviceAccountOf(template: Pick<InstanceTemplate, 'serviceAccount'>, project: Project): string {
  const email = template.serviceAccount.toLowerCase() || `${project.number}-compute@developer.gserviceaccount.com`
  if (projectOfEmail(email) !== undefined) return email
  throw invalid(
    `template.service_account: "${template.serviceAccount}" is no service account's email.`,
    'Write ACCOUNT@PROJECT.iam.gserviceaccount.com, or leave it out.',
  )
}
