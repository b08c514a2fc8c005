import { create } from '@bufbuild/protobuf'
import {
  ListProjectsResponseSchema,
  Project_State,
  ProjectSchema,
  Projects,
  SearchProjectsResponseSchema,
  type Project,
} from '../../api/gen/google/cloud/resourcemanager/v3/projects_pb.ts'
import { BindingSchema, type Policy } from '../../api/gen/google/iam/v1/policy_pb.ts'
import { callerOf, localUser, type Caller } from '../../api/caller.ts'
import type { IamPolicies } from '../../api/iam-policy.ts'
import { shownPolicy } from '../../api/policy-rules.ts'
import { paginateList } from '../../api/pages.ts'
import { checkProject } from '../../api/names.ts'
import { service, type RestBinding, type Service } from '../../api/product.ts'
import { unimplemented } from '../../api/status.ts'
import type { ProjectIds } from '../../api/project-ids.ts'
import type { IamNeeds } from './needs.ts'
import { readProjectFilter } from './project-filter.ts'
import { defaultEmailOf, invalid, readProjectName } from './names.ts'

/** Version 1 of the API names a project by its bare id, and answers policies as version 3 does. */
const v1: readonly RestBinding[] = ['getIamPolicy', 'setIamPolicy', 'testIamPermissions'].map((method) => ({
  method,
  verb: 'POST',
  path: `/v1/projects/{resource}:${method}`,
  body: '*',
}))

/** A project's policy; one that nobody has set yet says who owns and edits it, as a new project's does. */
export function projectPolicy(needs: IamNeeds, policies: IamPolicies, id: string): Policy {
  const policy = policies.get(`projects/${id}`)
  const isUntouched = Buffer.from(policy.etag).toString('base64') === 'ACAB'
  if (isUntouched) policy.bindings = firstBindings(needs.project(id))
  return policy
}

/** Resource Manager: projects as they are, and their policies, which the products read. @param onSet told a project's id */
export function projectService(needs: IamNeeds, policies: IamPolicies, onSet: (project: string) => void): Service {
  const canonical = (name: string) => {
    const id = name.includes('/') ? readProjectName(name) : name
    if (id === '') throw invalid('resource must name a project.')
    checkProject(id)
    return `projects/${needs.project(id).id}`
  }
  const rpcs = policies.rpcs(canonical, (name) => onSet(name.slice('projects/'.length)), { withoutPublic: true })
  const implementation = service(Projects, {
    getProject: (request) => toProject(needs.project(readProjectName(request.name))),
    searchProjects({ query, pageSize, pageToken }, context) {
      const { items, nextPageToken } = pageOfProjects(needs, callerOf(context), query, pageSize, pageToken)
      return create(SearchProjectsResponseSchema, { projects: items.map(toProject), nextPageToken })
    },
    // Projects here stand below no folder and no organization, which is what this method lists.
    listProjects: ({ parent }) => {
      if (parent === '') throw invalid('parent must name a folder or an organization.')
      return create(ListProjectsResponseSchema)
    },
    ...rpcs,
    getIamPolicy: ({ resource, options }) =>
      shownPolicy(projectPolicy(needs, policies, canonical(resource).slice('projects/'.length)), options?.requestedPolicyVersion ?? 0),
  })
  return { ...implementation, rest: v1 }
}

/** Some of the projects that `caller` may see and that pass `filter`. @throws CloudError INVALID_ARGUMENT for a filter or a token that is none */
export function pageOfProjects(needs: IamNeeds, caller: Caller, filter: string, pageSize: number, pageToken: string) {
  const all = knownProjects(needs)
    .filter(({ id }) => needs.borders().allows(caller, `projects/${id}`, 'getProject'))
    .filter(readProjectFilter(filter))
  return paginateList(
    all.map(({ id, number }) => ({ name: id, id, number })),
    pageSize,
    pageToken,
  )
}

/** @throws CloudError UNIMPLEMENTED where nobody tells which projects there are */
function knownProjects(needs: IamNeeds): readonly ProjectIds[] {
  if (needs.projects === undefined) throw unimplemented('the list of projects here')
  return needs.projects()
}

function toProject({ id, number }: ProjectIds): Project {
  return create(ProjectSchema, { name: `projects/${number}`, projectId: id, displayName: id, state: Project_State.ACTIVE })
}

/** A project is never without an owner: tools read `bindings` unguarded. */
function firstBindings({ number }: ProjectIds) {
  return [
    create(BindingSchema, { role: 'roles/editor', members: [`serviceAccount:${defaultEmailOf(number)}`] }),
    create(BindingSchema, { role: 'roles/owner', members: [`user:${localUser.email}`] }),
  ]
}
