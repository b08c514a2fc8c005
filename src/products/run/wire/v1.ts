import type { FastifyPluginAsync } from 'fastify'
import type { Service } from '../../../api/gen/google/cloud/run/v2/service_pb.ts'
import { paginateList } from '../../../api/pages.ts'
import type { RestBinding } from '../../../api/product.ts'
import { regions } from '../../../api/regions.ts'
import { unimplemented } from '../../../api/status.ts'
import { invalid } from '../invalid.ts'
import type { RunJobs } from '../jobs/index.ts'
import type { ResourceWrites } from '../resource-writes.ts'
import type { RevisionApi } from '../revisions/revision-api.ts'
import type { DeployParts } from '../services/deploy.ts'
import type { RunWorkerPools } from '../worker-pools/index.ts'
import { takeJson, toCall } from './v1-call.ts'
import { serveJobs } from './v1-jobs.ts'
import { serveRevisions } from './v1-revisions.ts'
import { serveServices } from './v1-services.ts'
import { serveWorkerPools } from './v1-worker-pools.ts'

/** Version 1 of the API, which is Knative's: what gcloud and Terraform's google_cloud_run_service speak. It calls what version 2 calls. */
export function v1Routes(
  parts: DeployParts,
  services: ResourceWrites<Service>,
  revisions: RevisionApi,
  jobs: RunJobs,
  workerPools: RunWorkerPools,
): FastifyPluginAsync {
  return async (app) => {
    takeJson(app)
    serveServices(app, parts.needs, parts.store, services)
    serveRevisions(app, parts.needs, revisions)
    serveJobs(app, parts.needs, jobs)
    serveWorkerPools(app, parts.needs, workerPools.pools)
    // none can be made
    app.get('/apis/domains.cloudrun.com/v1/namespaces/:namespace/domainmappings', (request) => {
      toCall(parts.needs, request)
      return { apiVersion: 'domains.cloudrun.com/v1', kind: 'DomainMappingList', metadata: {}, items: [] }
    })
    app.get('/v1/projects/:project/locations', (request) => {
      const { project, query } = toCall(parts.needs, request)
      if (query['filter']) throw unimplemented('the filter of run.projects.locations.list')
      const all = regions.map((id) => ({ name: `projects/${project.id}/locations/${id}`, locationId: id, displayName: id }))
      const { items, nextPageToken } = paginateList(all, readSize(query['pageSize']), query['pageToken'] ?? '')
      return { locations: items, ...(nextPageToken !== '' && { nextPageToken }) }
    })
  }
}

function readSize(text = '0'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw invalid(`pageSize must be a whole number, not "${text.slice(0, 50)}".`)
}

/** The IAM trio of a collection under version 1. @param collection `services`, `jobs` or `workerpools` */
export function v1Iam(collection: string): readonly RestBinding[] {
  const base = `/v1/{resource=projects/*/locations/*/${collection}/*}`
  return [
    { method: 'getIamPolicy', verb: 'GET', path: `${base}:getIamPolicy` },
    { method: 'setIamPolicy', verb: 'POST', path: `${base}:setIamPolicy`, body: '*' },
    { method: 'testIamPermissions', verb: 'POST', path: `${base}:testIamPermissions`, body: '*' },
  ]
}
