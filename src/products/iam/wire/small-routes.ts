import type { FastifyPluginAsync } from 'fastify'
import { requireCaller } from '../../../api/caller.ts'
import { checkProject } from '../../../api/names.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import { doneOperation } from '../enabled-services.ts'
import type { ProjectIds } from '../../../api/project-ids.ts'
import type { IamNeeds } from '../needs.ts'
import { pageOfProjects } from '../projects.ts'

/** Single routes of APIs whose protos are not public: Resource Manager v1, Cloud Billing, and what Google's clients ask beside their work. */
export function smallRoutes(needs: IamNeeds): FastifyPluginAsync {
  const projectOf = (idOrNumber: string) => {
    checkProject(idOrNumber)
    return needs.project(idOrNumber)
  }
  return async (app) => {
    app.addHook('onRequest', async (request) => void requireCaller(request.caller))
    app.get<{ Querystring: Readonly<Record<string, string | undefined>> }>('/v1/projects', ({ query, caller }) => {
      const { items, nextPageToken } = pageOfProjects(
        needs,
        requireCaller(caller),
        query['filter'] ?? '',
        readSize(query['pageSize']),
        query['pageToken'] ?? '',
      )
      return { projects: items.map(toProject), ...(nextPageToken !== '' && { nextPageToken }) }
    })
    app.get<{ Params: { project: string } }>('/v1/projects/:project([^:]+)', (request) => toProject(projectOf(request.params.project)))
    app.get<{ Params: { project: string } }>('/v1/projects/:project/billingInfo', (request) => {
      const { id } = projectOf(request.params.project)
      return { name: `projects/${id}/billingInfo`, projectId: id, billingAccountName: '', billingEnabled: false }
    })
    // google-auth asks this in the background after its first token; 0x0 means no boundary
    app.get('/v1/projects/-/serviceAccounts/:account/allowedLocations', () => ({ locations: [], encodedLocations: '0x0' }))
    app.get<{ Params: { id: string } }>('/v1/operations/:id', (request) => {
      const name = `operations/${request.params.id}`
      if (name === doneOperation) return { name, done: true }
      throw new CloudError('NOT_FOUND', `Operation '${name}' was not found.`, 'Check its name.')
    })
  }
}

function readSize(text = '0'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CloudError('INVALID_ARGUMENT', `pageSize must be a whole number, not "${text.slice(0, 50)}".`, 'Correct the request.')
}

function toProject({ id, number }: ProjectIds) {
  return { projectNumber: number, projectId: id, lifecycleState: 'ACTIVE', name: id }
}
