import { SecretManagerService } from '../../api/gen/google/cloud/secretmanager/v1/service_pb.ts'
import { secretManagerOffer } from './offer.ts'
import { openIamPolicies } from '../../api/iam-policy.ts'
import { checkProject } from '../../api/names.ts'
import { service, type Product } from '../../api/product.ts'
import { regions } from '../../api/regions.ts'
import { lastPart } from '../../base/last-part.ts'
import { openChanges } from './changes.ts'
import type { SecretManagerNeeds } from './needs.ts'
import { planSecrets } from './plan.ts'
import { openSecrets } from './secrets.ts'
import type { WantedSecrets } from './section.ts'
import { openVersions } from './versions.ts'

export { secretManagerOffer } from './offer.ts'
export { versionTable } from './versions.ts'

export interface SecretManager extends Product {
  /** The payload of `projects/P/secrets/S/versions/V`, where V is a number, an alias or `latest`. @throws CloudError NOT_FOUND, FAILED_PRECONDITION */
  access(name: string): Uint8Array
  /** Calls `listener` with the name of each secret that changed. Ends when disposed. */
  onChange(listener: (secret: string) => void): Disposable
}

/** Secret Manager v1: global secrets, their versions and policies. */
export function secretManager(needs: SecretManagerNeeds): SecretManager {
  const secrets = openSecrets(needs)
  const versions = openVersions(needs, secrets)
  const policies = openIamPolicies(needs.state)
  const changes = openChanges()
  const canonical = (name: string) => secrets.get(name).name
  return {
    ...secretManagerOffer,
    hosts: ['secretmanager.googleapis.com'],
    services: [service(SecretManagerService, { ...changes.telling({ ...secrets.rpcs, ...versions.rpcs }), ...policies.rpcs(canonical) })],
    async wires(app) {
      app.get<{ Params: { project: string } }>('/v1/projects/:project/locations', ({ params: { project } }) => {
        checkProject(project)
        const { number } = needs.project(project)
        return { locations: regions.map((id) => ({ name: `projects/${number}/locations/${id}`, locationId: id, displayName: id })) }
      })
    },
    plan: (wanted, site) => planSecrets(wanted as WantedSecrets, site),
    list: async (project) =>
      secrets.names(`projects/${needs.project(project).number}/secrets`).map((name) => ({ kind: 'secret', id: lastPart(name) })),
    projects: () => secrets.projects(),
    removeProject: (project) => secrets.deleteBelow(`projects/${needs.project(project).number}/secrets`),
    onChange: changes.onChange,
    access: (name) => versions.access(name).payload,
    async [Symbol.asyncDispose]() {},
  }
}
