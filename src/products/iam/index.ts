import { create } from '@bufbuild/protobuf'
import { iamOffer } from './offer.ts'
import { IAM, ListRolesResponseSchema, type ListRolesRequest } from '../../api/gen/google/iam/admin/v1/iam_pb.ts'
import { IAMCredentials } from '../../api/gen/google/iam/credentials/v1/iamcredentials_pb.ts'
import type { Policy } from '../../api/gen/google/iam/v1/policy_pb.ts'
import { openIamPolicies } from '../../api/iam-policy.ts'
import { service, type Product } from '../../api/product.ts'
import { unimplemented } from '../../api/status.ts'
import { openAccounts } from './accounts.ts'
import { openCredentials } from './credentials.ts'
import { serviceUsage } from './enabled-services.ts'
import { keyRpcs } from './keys.ts'
import type { IamNeeds } from './needs.ts'
import { projectPolicy, projectService } from './projects.ts'
import { certificateRoutes } from './wire/certificates.ts'
import { idTokenRoute, withoutRest } from './wire/id-token.ts'
import { oauthRoutes } from './wire/oauth.ts'
import { smallRoutes } from './wire/small-routes.ts'

export { iamOffer } from './offer.ts'
export interface Iam extends Product {
  /** By its unique id; undefined where there is no such account. */
  emailOfAccount(uniqueId: string): string | undefined
  /** Who may do what in a project, for products that let others in by it. */
  projectPolicy(project: string): Policy
  /** Tells the ids of projects whose policy was set. */
  onProjectPolicy(listener: (project: string) => void): void
}

/** Who is who: OAuth tokens, service accounts and their keys, credentials, projects and the services that are enabled in them. */
export function iam(needs: IamNeeds): Iam {
  const policies = openIamPolicies(needs.state)
  const listeners = new Set<(project: string) => void>()
  const tell = (project: string) => {
    for (const listener of listeners) listener(project)
  }
  const accounts = openAccounts(needs, policies, (names) => new Set(names.map((name) => name.split('/')[1] ?? '')).forEach(tell))
  const credentials = openCredentials(needs, accounts)
  return {
    ...iamOffer,
    hosts: [
      'iam.googleapis.com',
      'iamcredentials.googleapis.com',
      'oauth2.googleapis.com',
      'openidconnect.googleapis.com',
      'www.googleapis.com', // shared with Cloud Storage, told apart by path
      'cloudresourcemanager.googleapis.com',
      'serviceusage.googleapis.com',
      'cloudbilling.googleapis.com',
    ],
    services: [
      service(withoutRest(IAMCredentials, 'generateIdToken'), credentials.rpcs), // before IAM, whose own signBlob and signJwt are deprecated at the same paths
      service(IAM, { ...accounts.rpcs, ...keyRpcs(needs, accounts), listRoles }),
      projectService(needs, policies, tell),
      serviceUsage(needs),
    ],
    answersAnyone: true, // certificates and OAuth; the rest asks by itself
    async wires(app) {
      await app.register(oauthRoutes(needs))
      await app.register(idTokenRoute(credentials))
      await app.register(certificateRoutes(needs.tokens))
      await app.register(smallRoutes(needs))
    },
    projects: () => accounts.projects(),
    removeProject: (project) => accounts.removeProject(project),
    emailOfAccount: (uniqueId) => accounts.find(uniqueId)?.email,
    projectPolicy: (project) => projectPolicy(needs, policies, project),
    onProjectPolicy: (listener) => void listeners.add(listener),
    async [Symbol.asyncDispose]() {},
  }
}

/** A project has no roles of its own, since none can be made. Google's own are not emulated as a list. */
function listRoles({ parent }: ListRolesRequest) {
  if (parent === '') throw unimplemented('google.iam.admin.v1.IAM.ListRoles of predefined roles')
  return create(ListRolesResponseSchema)
}
