import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { messageOf } from '../../../base/cloud-error.ts'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { yamlText } from '../../format/print-rows.ts'
import { usage } from './flag-values.ts'
import { addMember } from './iam-policy.ts'
import { printOne } from './print-resources.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { addWideOptions, openScope, type WideOptions } from './scope.ts'

interface MemberOptions extends WideOptions {
  readonly member: string
  readonly role: string
}

/** get-iam-policy, set-iam-policy, add- and remove-iam-policy-binding. */
export function addPolicyCommands(group: Command, { argument: kind, collection }: ResourceKind): void {
  const resourceOf = async (id: string, options: WideOptions) => {
    const { api, parent } = await openScope(options)
    return { api, resource: `${parent}/${collection}/${id}` }
  }
  const print = (options: WideOptions, policy: ApiAnswer) => printOne(options, { resource: policy, derived: {} }, () => yamlText(policy))
  addWideOptions(group.command('get-iam-policy').description(`show who may do what with a ${kind}`))
    .argument(`<${kind}>`, 'its name')
    .action(async (id: string, options: WideOptions) => {
      const { api, resource } = await resourceOf(id, options)
      print(options, await api.call('GET', `${resource}:getIamPolicy?options.requestedPolicyVersion=3`))
    })
  addWideOptions(group.command('set-iam-policy').description(`replace the policy of a ${kind}`))
    .argument(`<${kind}>`, 'its name')
    .argument('<file>', 'the policy as JSON or YAML')
    .action(async (id: string, file: string, options: WideOptions) => {
      const { api, resource } = await resourceOf(id, options)
      print(options, await api.call('POST', `${resource}:setIamPolicy`, { policy: readPolicy(file) }))
    })
  for (const verb of ['add', 'remove'] as const) {
    addWideOptions(
      group.command(`${verb}-iam-policy-binding`).description(`${verb === 'add' ? 'give a role on' : 'take a role on'} a ${kind}`),
    )
      .argument(`<${kind}>`, 'its name')
      .requiredOption('--member <member>', 'allUsers, user:EMAIL, serviceAccount:EMAIL')
      .requiredOption('--role <role>', 'roles/run.invoker')
      .action(async (id: string, options: MemberOptions) => {
        const { api, resource } = await resourceOf(id, options)
        print(options, await addMember(api, resource, options.role, options.member, verb))
      })
  }
}

function readPolicy(file: string): object {
  try {
    const policy: unknown = parse(readFileSync(file, 'utf8'))
    if (typeof policy === 'object' && policy !== null) return policy
  } catch (error) {
    throw usage(`${file} cannot be read: ${messageOf(error)}`, 'Name a file with a policy as get-iam-policy prints it.')
  }
  throw usage(`${file} holds no policy.`, 'Name a file with a policy as get-iam-policy prints it.')
}
