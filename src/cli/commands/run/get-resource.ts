import { CloudError } from '../../../base/cloud-error.ts'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { collectionUrl, type Knative } from './knative.ts'
import type { ResourceKind } from './resource-kinds.ts'
import type { Scope } from './scope.ts'

/** A resource of v2, which flags change. @throws CloudError NOT_FOUND in gcloud's words, as of the other one */
export async function getResource(scope: Scope, kind: ResourceKind, id: string): Promise<ApiAnswer> {
  const found = await scope.api.find(`${scope.parent}/${kind.collection}/${encodeURIComponent(id)}`)
  if (found === undefined) throw notFound(scope, kind, id)
  return found
}

/** The same of v1, which formats print. */
export async function getKnative(scope: Scope, kind: ResourceKind, id: string): Promise<Knative> {
  const found = await scope.api.find(`${collectionUrl(scope, kind)}/${encodeURIComponent(id)}`)
  if (found === undefined) throw notFound(scope, kind, id)
  return found as Knative
}

export function notFound({ region, project }: Scope, { words, list, isDeep }: ResourceKind, id: string): CloudError {
  const where = isDeep ? `project ${project}` : `region ${region} of project ${project}`
  return new CloudError('NOT_FOUND', `Cannot find ${words} [${id}] in ${where}.`, list)
}
