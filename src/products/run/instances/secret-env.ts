import type { Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { Project, RunNeeds } from '../needs.ts'

/**
 * The payload of a version of a secret of `project`, or of another project when it has a full name.
 * @throws CloudError SECRET_UNREADABLE
 */
export async function readSecret(needs: RunNeeds, project: Project, secret: string, version: string, account: string): Promise<Uint8Array> {
  const name = `${secret.startsWith('projects/') ? secret : `projects/${project.id}/secrets/${secret}`}/versions/${version || 'latest'}`
  try {
    return await needs.accessSecret(name, account)
  } catch (error) {
    const id = lastPart(secret)
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Secret ${name} cannot be read as ${account}.`,
      `Say it under "secrets:" in devcloud.yaml, or: gcloud secrets versions add ${id} --data-file=FILE`,
      {
        cause: error,
        fault: 'SECRET_UNREADABLE',
        evidence: [error instanceof Error ? error.message : String(error)],
      },
    )
  }
}

/** The variables of a container, those of secrets read. @throws CloudError SECRET_UNREADABLE */
export async function readEnvironment(
  needs: RunNeeds,
  { env }: Container,
  project: Project,
  account: string,
): Promise<Record<string, string>> {
  const pairs = env.map(async ({ name, values }): Promise<readonly [string, string]> => {
    if (values.case !== 'valueSource') return [name, values.value ?? '']
    const { secret = '', version = '' } = values.value.secretKeyRef ?? {}
    return [name, Buffer.from(await readSecret(needs, project, secret, version, account)).toString('utf8')]
  })
  return Object.fromEntries(await Promise.all(pairs))
}
