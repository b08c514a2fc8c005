import { CloudError } from '../../../base/cloud-error.ts'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { namespaceUrl, type Knative } from './knative.ts'
import type { Scope } from './scope.ts'

/** A service of v2, which the flags change. @throws CloudError NOT_FOUND in gcloud's words */
export async function getService(scope: Scope, id: string): Promise<ApiAnswer> {
  const service = await scope.api.find(`${scope.parent}/services/${encodeURIComponent(id)}`)
  if (service !== undefined) return service
  throw new CloudError(
    'NOT_FOUND',
    `Cannot find service [${id}] in region ${scope.region} of project ${scope.project}.`,
    'devcloud run services list',
  )
}

/** The same service of v1, which formats print. */
export async function getKnative(scope: Scope, id: string): Promise<Knative> {
  return (await scope.api.call(
    'GET',
    `${namespaceUrl(scope, 'serving.knative.dev', scope.region)}/services/${encodeURIComponent(id)}`,
  )) as Knative
}
